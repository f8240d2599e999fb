use serde_json::json;

use super::*;

fn service(name: &str, version: u64, port: u16) -> DynamicObject {
    serde_json::from_value(json!({
        "metadata": {
            "name": name, "namespace": "shop", "resourceVersion": version.to_string(),
            "labels": {INSTANCE: "corner"}, "managedFields": [{"manager": "somebody"}],
        },
        "spec": {"port": port},
    }))
    .unwrap()
}

fn corner() -> Owner {
    ("shop".to_owned(), "corner".to_owned())
}

fn listener(cache: &Arc<Cache>) -> Listener {
    Listener::new(Arc::clone(cache), Watched::Child(Kind::Service), None)
}

fn port(cache: &Cache, name: &str) -> Option<Value> {
    Some(cache.child(&corner(), Kind::Service, name)?.data["spec"]["port"].clone())
}

#[test]
fn what_went_while_nobody_listened_is_gone_and_told() {
    let cache = Arc::<Cache>::default();
    let mut listener = listener(&cache);
    for event in [Event::Init, Event::InitApply(service("a", 1, 1)), Event::InitApply(service("b", 2, 2))] {
        listener.note(event);
    }
    assert_eq!(listener.note(Event::InitDone), vec![]);
    listener.note(Event::Init);
    assert_eq!(listener.note(Event::InitApply(service("b", 2, 2))), [corner()]);
    assert_eq!(port(&cache, "a"), Some(json!(1)), "until all is told");
    assert_eq!(listener.note(Event::InitDone), [corner()]);
    assert_eq!((port(&cache, "a"), port(&cache, "b")), (None, Some(json!(2))));
    assert_eq!(listener.note(Event::Delete(service("b", 3, 2))), [corner()]);
    assert!(cache.lock().by_owner.is_empty());
}

#[test]
fn a_watch_that_is_behind_does_not_undo_what_was_written() {
    let cache = Arc::<Cache>::default();
    let mut listener = listener(&cache);
    listener.note(Event::Apply(service("a", 4, 4)));
    cache.put(Kind::Service, &service("a", 10, 10));
    listener.note(Event::Apply(service("a", 9, 9)));
    assert_eq!(port(&cache, "a"), Some(json!(10)));
    listener.note(Event::Apply(service("a", 11, 11)));
    assert_eq!(port(&cache, "a"), Some(json!(11)));
    // A server that was restored from a copy begins with what it has.
    listener.note(Event::Init);
    listener.note(Event::InitApply(service("a", 5, 5)));
    assert_eq!(port(&cache, "a"), Some(json!(5)));
}

#[test]
fn what_nobody_reads_is_not_kept() {
    let cache = Arc::<Cache>::default();
    listener(&cache).note(Event::Apply(service("a", 1, 1)));
    assert_eq!(cache.child(&corner(), Kind::Service, "a").unwrap().metadata.managed_fields, None);
    let pod = json!({
        "metadata": {"name": "p", "namespace": "shop", "labels": {INSTANCE: "corner"}},
        "spec": {"containers": []}, "status": {"phase": "Running", "hostIP": "10.0.0.1"},
    });
    let mut pods = Listener::new(Arc::clone(&cache), Watched::Pod, None);
    pods.note(Event::Apply(serde_json::from_value(pod).unwrap()));
    let kept = cache.pods(&corner());
    assert_eq!(kept[0].spec, None);
    let status = kept[0].status.clone().unwrap();
    assert_eq!((status.phase.as_deref(), status.host_ip), (Some("Running"), None));
}

#[tokio::test]
async fn it_is_filled_when_every_watch_has_told() {
    let cache = Arc::<Cache>::default();
    let mut all = [listener(&cache), listener(&cache)];
    for (number, listener) in all.iter_mut().enumerate() {
        assert!(futures::FutureExt::now_or_never(cache.filled()).is_none(), "{number} of two have told");
        listener.note(Event::Init);
        listener.note(Event::InitDone);
        listener.note(Event::InitDone);
    }
    cache.filled().await;
}
