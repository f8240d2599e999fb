//! Input that others answer with 500, with everything, or with nothing.

use crate::service::{Service, problem};

pub async fn gets_a_problem_that_names_the_field(service: &Service) {
    let long = format!("search={}", "x".repeat(201));
    for (query, field) in [
        ("cursor=abc", "cursor"),
        ("limit=-5", "limit"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=1e9", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=100", "limit"),
        ("minPrice=abc", "minPrice"),
        ("minPrice=NaN", "minPrice"),
        ("minPrice=-1", "minPrice"),
        ("maxPrice=1e400", "maxPrice"),
        ("minPrice=2&maxPrice=1", "minPrice"),
        ("sort=drop%20table", "sort"),
        ("sort=price;DROP%20TABLE%20products--", "sort"),
        ("sort=relevance", "sort"),
        ("sort=", "sort"),
        ("category=", "category"),
        ("category=%00", "category"),
        ("category=%FF", "category"),
        ("colour=red", "colour"),
        ("LIMIT=5", "LIMIT"),
        ("limit%5B%5D=5", "limit[]"),
        ("total=maybe", "total"),
        (&long, "search"),
    ] {
        let problem = problem(service.get(&format!("/v1/products?{query}")).await).await;
        assert_eq!(
            (problem["status"].as_u64(), problem["field"].as_str()),
            (Some(400), Some(field)),
            "{query}: {problem}"
        );
        assert!(problem["detail"].as_str().unwrap().contains(field), "{query}: {problem}");
    }
    for path in [
        "/v1/products/0",
        "/v1/products/-1",
        "/v1/products/abc",
        "/v1/products/99999999999999999999",
        "/v1/products/1%20OR%201=1",
    ] {
        let problem = problem(service.get(path).await).await;
        assert_eq!((problem["status"].as_u64(), problem["field"].as_str()), (Some(400), Some("id")), "{path}");
    }
    let problem = problem(service.get("/v1/products/9223372036854775807").await).await;
    assert_eq!(problem["status"], 404);
}

pub async fn is_never_an_error_in_a_search(service: &Service) {
    for search in [
        "",
        " ",
        "*",
        "\"",
        "\"\"\"",
        "'",
        "''; DROP TABLE products; --",
        "+-><()~*\"@",
        "AND",
        "OR NOT",
        "NEAR(a b)",
        "name:milk",
        "milk*",
        "-milk",
        "^milk",
        "{milk}",
        "milk\\",
        "%",
        "_",
        "\0",
        "\u{1}\u{7f}",
        "🧀",
        "\u{202e}abc",
        "a\nb",
        "the",
        "of the",
        "a b c d e f g h i j k l m n",
        "ﷺ",
        "１２３",
        "e\u{301}",
        "İ",
    ] {
        for sort in ["relevance", "-price"] {
            let query = [("search", search), ("sort", sort)];
            // Without words there is no search, and then no relevance.
            if search.trim().is_empty() && sort == "relevance" {
                continue;
            }
            let request = service.client.get(format!("{}/v1/products", service.base)).query(&query);
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 200, "{search:?} {sort}: {}", response.text().await.unwrap());
        }
    }
    let signs = service.json("/v1/products?search=%22*%22&total=true").await;
    assert_eq!((&signs["data"], &signs["total"]["count"]), (&serde_json::json!([]), &serde_json::json!(0)));
}
