//! The rules of the definition, asked of the API server itself.

use farmlokal_operator::crd::FarmLokal;
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, PostParams};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::namespace::Namespace;
use crate::operating::define;

#[derive(Deserialize)]
struct Rule {
    message: String,
    was: Option<Value>,
    accept: Value,
    refuse: Value,
}

#[tokio::test]
async fn each_rule_is_the_api_servers_too() {
    let namespace = Namespace::create().await;
    define(&namespace.client).await;
    let rules: Vec<Rule> = serde_saphyr::from_str(include_str!("../definition/rules.yaml")).unwrap();
    for Rule { message, was, accept, refuse } in rules {
        tried(&namespace, was.as_ref(), &accept).await.unwrap_or_else(|error| panic!("{message}: {error}"));
        let error = tried(&namespace, was.as_ref(), &refuse).await.unwrap_err().to_string();
        assert!(error.contains(&message), "expected: {message}\nsaid: {error}");
    }
    namespace.end().await;
}

/// Makes the object, or makes it of the one before, and takes it away again.
async fn tried(namespace: &Namespace, was: Option<&Value>, object: &Value) -> Result<(), kube::Error> {
    let resource = ApiResource::erase::<FarmLokal>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(namespace.client.clone(), &namespace.name, &resource);
    let name = object["name"].as_str().unwrap_or("corner");
    let full = |object: &Value| {
        let spec = object.get("spec").cloned().unwrap_or_else(|| json!({}));
        DynamicObject::new(name, &resource).data(json!({"spec": spec}))
    };
    let result = match was {
        None => api.create(&PostParams::default(), &full(object)).await,
        Some(was) => {
            let there = api.create(&PostParams::default(), &full(was)).await?;
            let next = DynamicObject { metadata: there.metadata.clone(), ..full(object) };
            api.replace(name, &PostParams::default(), &next).await
        }
    };
    let _ = api.delete(name, &DeleteParams::default()).await;
    result.map(|_| ())
}
