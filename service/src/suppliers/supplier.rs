//! One supplier: how to ask it for offers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use farmlokal_catalog::inbox::SourceName;
use http::{Request, StatusCode, Uri, header};
use http_body_util::Full;
use serde::de::IgnoredAny;
use tokio::sync::{Notify, Semaphore};
use url::Url;

use super::page::Page;
use super::token::{Fetch, Seal, Shared, Token, Tokens};
use crate::breaker::{Breaker, State};
use crate::clock::Clock;
use crate::config;
use crate::outbound::{Backoff, Caller, Failure, HttpClient, Patience};
use crate::redis::Redis;
use crate::tally::{Tally, counted};

/// The longest answer that is read.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Questions of our clients that are passed on at once; a sync has its own place.
const PASSED_ON: usize = 32;

/// A supplier, and the state of our dealings with it.
pub struct Supplier {
    name: SourceName,
    offers: Url,
    page_size: u64,
    http: HttpClient,
    tokens: Tokens,
    patience: Patience,
    caller: Caller,
    passing_on: Semaphore,
    asked: Notify,
    syncs: Tally<Synced>,
    calls: Tally<Called>,
}

counted! {
    /// How a sync ended in this process.
    pub enum Synced {
        /// All pages are in.
        Done = "done",
        /// The supplier did not do its part.
        Failed = "failed",
        /// It goes on later or elsewhere.
        Left = "left",
    }
}

counted! {
    /// What came of a call with its retries.
    pub enum Called {
        /// An answer that makes sense.
        Answered = "answered",
        /// None.
        Failed = "failed",
    }
}

impl Called {
    fn of<T>(outcome: &Result<T, Failure>) -> Self {
        if outcome.is_ok() { Self::Answered } else { Self::Failed }
    }
}

impl Supplier {
    pub(super) fn new(config: &config::Supplier, http: HttpClient, redis: Option<&Arc<Redis>>, clock: Clock) -> Self {
        let within = config.patience.per_try;
        let credentials = (config.client_id.as_str(), &config.client_secret);
        let fetch = Fetch::new(http.clone(), config.token_url.clone(), credentials, &config.scope, within);
        let token_url = config.token_url.to_string();
        let seal = || Seal::new(&config.client_secret, &[&token_url, &config.client_id, &config.scope]);
        let shared = redis.and_then(|redis| Some(Shared::new(Arc::clone(redis), seal()?, within)));
        let breaker = Breaker::new(5, Duration::from_secs(1), Duration::from_secs(30));
        Self {
            name: config.name.clone(),
            offers: config.offers.clone(),
            page_size: config.page_size,
            http,
            tokens: Tokens::new(fetch, shared, clock),
            patience: config.patience,
            caller: Caller::new(breaker, Backoff::default(), config.patience, fastrand::Rng::new()),
            passing_on: Semaphore::new(PASSED_ON),
            asked: Notify::new(),
            syncs: Tally::default(),
            calls: Tally::default(),
        }
    }

    /// What it is called.
    pub fn name(&self) -> &SourceName {
        &self.name
    }

    /// How syncs ended.
    pub fn syncs(&self) -> &Tally<Synced> {
        &self.syncs
    }

    /// What came of calls.
    pub fn calls(&self) -> &Tally<Called> {
        &self.calls
    }

    /// Whether it is being asked.
    pub fn state(&self) -> State {
        self.caller.state()
    }

    /// How long a sync is lent: longer than a page may take in all, since each page lends it anew.
    pub(super) fn lent_for(&self) -> Duration {
        self.patience.in_all * 2 + Duration::from_secs(2)
    }

    /// How long it is left alone, if it is.
    pub fn refused_for(&self) -> Option<Duration> {
        self.caller.refused_for()
    }

    /// Says that a sync was asked for: whoever pulls in this process need not look for it.
    pub fn wake(&self) {
        self.asked.notify_one();
    }

    /// Waits for that.
    pub(super) async fn woken(&self) {
        self.asked.notified().await;
    }

    /// The page at `cursor`, or the first one.
    pub(super) async fn page(&self, cursor: Option<&str>) -> Result<Page, Failure> {
        let page = self.caller.call(None, || async { Page::read(&self.get(cursor).await?) }).await;
        self.calls.add(Called::of(&page));
        page
    }

    /// The first page as the supplier wrote it, which is JSON, `within` the time a client waits for it.
    pub(super) async fn first_page(&self, within: Duration) -> Result<Bytes, Failure> {
        // Whoever asks for this need not show a token: nobody is to flood the supplier through us.
        let Ok(_place) = self.passing_on.try_acquire() else { return Err(Failure::Timeout) };
        let attempt = || async {
            let body = self.get(None).await?;
            let json = serde_json::from_slice::<IgnoredAny>(&body);
            json.map(|_| body).map_err(|_| Failure::Garbled("it is no JSON"))
        };
        let page = self.caller.call(Some(within), attempt).await;
        self.calls.add(Called::of(&page));
        page
    }

    /// One try. A token that is not taken is replaced once.
    async fn get(&self, cursor: Option<&str>) -> Result<Bytes, Failure> {
        let mut url = self.offers.clone();
        url.query_pairs_mut().append_pair("limit", &self.page_size.to_string());
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        let uri: Uri = url.as_str().parse().map_err(|_| Failure::Garbled("its cursor cannot be sent"))?;
        let token = self.tokens.get().await?;
        match self.get_with(&uri, &token).await {
            Err(Failure::Unauthorized) => {
                let token = self.tokens.renew(&token).await?;
                self.get_with(&uri, &token).await
            }
            outcome => outcome,
        }
    }

    async fn get_with(&self, uri: &Uri, token: &Token) -> Result<Bytes, Failure> {
        let request = Request::get(uri.clone())
            .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()))
            .header(header::ACCEPT, "application/json")
            .body(Full::default())
            .map_err(|_| Failure::Garbled("the request cannot be written"))?;
        let answer = self.http.send(request, MAX_BYTES).await?;
        match answer.status {
            StatusCode::OK => Ok(answer.body),
            StatusCode::UNAUTHORIZED => Err(Failure::Unauthorized),
            status => Err(Failure::of_status(status, answer.retry_after())),
        }
    }
}
