//! What the command line offers, one command a file.

mod crd;

pub use self::crd::crd_yaml;
