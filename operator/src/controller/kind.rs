//! The kinds of objects that are made, in the order in which they are applied.

use kube::core::{ApiResource, GroupVersionKind};

/// A kind of child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Whom pods are.
    ServiceAccount,
    /// The service's settings, and the tuning file.
    ConfigMap,
    /// The name that pods are reached by.
    Service,
    /// Who may reach them.
    NetworkPolicy,
    /// Where the embedded database is.
    PersistentVolumeClaim,
    /// Migrating and seeding.
    Job,
    /// The pods.
    Deployment,
    /// How many of them.
    HorizontalPodAutoscaler,
    /// How many of them may go at once.
    PodDisruptionBudget,
    /// The way in from outside.
    Ingress,
    /// The other way in from outside.
    HttpRoute,
}

impl Kind {
    /// All of them, in the order in which they are applied: what pods refer to comes before the pods.
    pub const ALL: [Self; 11] = [
        Self::ServiceAccount,
        Self::ConfigMap,
        Self::Service,
        Self::NetworkPolicy,
        Self::PersistentVolumeClaim,
        Self::Job,
        Self::Deployment,
        Self::HorizontalPodAutoscaler,
        Self::PodDisruptionBudget,
        Self::Ingress,
        Self::HttpRoute,
    ];

    /// Group, version and kind, as objects name them.
    #[must_use]
    pub fn gvk(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::ServiceAccount => ("", "v1", "ServiceAccount"),
            Self::ConfigMap => ("", "v1", "ConfigMap"),
            Self::Service => ("", "v1", "Service"),
            Self::NetworkPolicy => ("networking.k8s.io", "v1", "NetworkPolicy"),
            Self::PersistentVolumeClaim => ("", "v1", "PersistentVolumeClaim"),
            Self::Job => ("batch", "v1", "Job"),
            Self::Deployment => ("apps", "v1", "Deployment"),
            Self::HorizontalPodAutoscaler => ("autoscaling", "v2", "HorizontalPodAutoscaler"),
            Self::PodDisruptionBudget => ("policy", "v1", "PodDisruptionBudget"),
            Self::Ingress => ("networking.k8s.io", "v1", "Ingress"),
            Self::HttpRoute => ("gateway.networking.k8s.io", "v1", "HTTPRoute"),
        }
    }

    /// Where the API server keeps it.
    #[must_use]
    pub fn resource(self) -> ApiResource {
        let (group, version, kind) = self.gvk();
        let gvk = GroupVersionKind::gvk(group, version, kind);
        let plural = match self {
            Self::NetworkPolicy => "networkpolicies".to_owned(),
            Self::Ingress => "ingresses".to_owned(),
            _ => format!("{}s", kind.to_lowercase()),
        };
        ApiResource::from_gvk_with_plural(&gvk, &plural)
    }

    /// Whether one that is no longer asked for is deleted. Data is not, and pods serve on while what they need is
    /// missing.
    #[must_use]
    pub fn is_swept(self) -> bool {
        !matches!(self, Self::PersistentVolumeClaim | Self::Deployment)
    }

    /// Whether the cluster may not know it.
    #[must_use]
    pub fn is_optional(self) -> bool {
        self == Self::HttpRoute
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.gvk().2)
    }
}
