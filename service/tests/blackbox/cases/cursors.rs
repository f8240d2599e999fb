//! What a cursor may and may not be used for.

use crate::service::{Service, problem};

async fn cursor(service: &Service, path: &str) -> String {
    service.json(path).await["nextCursor"].as_str().unwrap().to_owned()
}

pub async fn belong_to_one_listing(service: &Service) {
    let cursor = cursor(service, "/v1/products?category=Dairy&sort=-price&limit=5").await;
    for (parameters, field) in
        [("category=Fruits", "category"), ("sort=price", "sort"), ("minPrice=1", "minPrice"), ("search=milk", "search")]
    {
        let response = service.get(&format!("/v1/products?{parameters}&cursor={cursor}")).await;
        let problem = problem(response).await;
        assert_eq!((problem["status"].as_u64(), problem["field"].as_str()), (Some(400), Some("cursor")));
        assert!(problem["detail"].as_str().unwrap().contains(&format!("another {field}")), "{problem}");
    }
}

pub async fn are_refused_when_altered(service: &Service) {
    let cursor = cursor(service, "/v1/products?sort=name&limit=5").await;
    let flipped: String = cursor
        .chars()
        .enumerate()
        .map(|(at, c)| if at == cursor.len() / 2 { if c == 'A' { 'B' } else { 'A' } } else { c })
        .collect();
    for altered in ["abc", "999999", "", &cursor[..cursor.len() - 4], &flipped, &format!("{cursor}AAAA")] {
        let problem = problem(service.get(&format!("/v1/products?cursor={altered}")).await).await;
        assert_eq!((problem["status"].as_u64(), problem["field"].as_str()), (Some(400), Some("cursor")), "{altered}");
    }
}

pub async fn adopt_what_is_not_stated(service: &Service) {
    let first = service.json("/v1/products?category=Dairy&sort=-price&limit=5").await;
    let cursor = first["nextCursor"].as_str().unwrap();
    let alone = service.json(&format!("/v1/products?cursor={cursor}&limit=5")).await;
    let stated = service.json(&format!("/v1/products?category=Dairy&sort=-price&limit=5&cursor={cursor}")).await;
    assert_eq!(alone, stated);
    assert_eq!(
        service.json(&format!("/v1/products?cursor={cursor}&limit=9")).await["data"].as_array().unwrap().len(),
        9
    );
}
