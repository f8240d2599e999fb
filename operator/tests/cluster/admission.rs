//! The API server itself: it holds to the rules of a definition.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, CustomResourceExt};
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::namespace::Namespace;
use crate::waiting::until;

/// A kind that is only here: a rule across two fields.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug)]
#[kube(group = "test.farmlokal.dev", version = "v1", kind = "Basket", namespaced)]
#[x_kube(validation = Rule::new("self.apples <= self.room").message("there is no room for so many apples"))]
struct BasketSpec {
    apples: i32,
    room: i32,
}

#[tokio::test]
async fn rules_of_a_definition_are_enforced() {
    let namespace = Namespace::create().await;
    let definitions: Api<CustomResourceDefinition> = Api::all(namespace.client.clone());
    // It stays: it is nobody else's, and the next run on the same control plane finds it as it should be.
    let (name, apply) = (Basket::crd_name(), PatchParams::apply("test"));
    definitions.patch(name, &apply, &Patch::Apply(Basket::crd())).await.unwrap();
    until("the kind `Basket`", async || {
        let conditions = definitions.get(name).await.unwrap().status?.conditions?;
        conditions.iter().any(|it| it.type_ == "Established" && it.status == "True").then_some(())
    })
    .await;

    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("test.farmlokal.dev", "v1", "Basket"));
    let baskets: Api<DynamicObject> = Api::namespaced_with(namespace.client.clone(), &namespace.name, &kind);
    let basket = |apples| DynamicObject::new("mine", &kind).data(json!({ "spec": { "apples": apples, "room": 3 } }));
    let refused = baskets.create(&PostParams::default(), &basket(4)).await.unwrap_err().to_string();
    assert!(refused.contains("there is no room for so many apples"), "{refused}");
    baskets.create(&PostParams::default(), &basket(3)).await.unwrap();

    namespace.end().await;
}
