//! The operator against a real API server with real controllers, on a cluster without nodes.

mod admission;
mod kubelet;
mod lifecycle;
mod namespace;
mod waiting;
