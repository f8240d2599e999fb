//! Entity tags: what the client has need not be sent again, and what it has not is.

use serde_json::json;

use crate::service::{Service, product};

pub async fn answer_304_to_those_who_have_it(service: &Service) {
    for path in ["/v1/products?sort=-price&limit=3", "/v1/products/1", "/docs", "/openapi.json"] {
        let tag = service.get(path).await.headers()["etag"].to_str().unwrap().to_owned();
        for field in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            let response = service
                .client
                .get(format!("{}{path}", service.base))
                .header("if-none-match", &field)
                .send()
                .await
                .unwrap();
            assert_eq!(response.status(), 304, "{path} {field}");
            assert_eq!(response.headers()["etag"].to_str().unwrap(), tag);
            assert!(response.bytes().await.unwrap().is_empty());
        }
        let response = service
            .client
            .get(format!("{}{path}", service.base))
            .header("if-none-match", "\"other\"")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{path}");
    }
}

pub async fn show_a_change_at_once(service: &Service) {
    let path = "/v1/products?category=Testing&sort=-createdAt&limit=3";
    let tag = service.get(path).await.headers()["etag"].to_str().unwrap().to_owned();
    let made = service.create(&product(json!({}))).await;
    let response =
        service.client.get(format!("{}{path}", service.base)).header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(response.status(), 200, "the next request sees the new product");
    let page: serde_json::Value = response.json().await.unwrap();
    assert_eq!(page["data"][0], made);
}
