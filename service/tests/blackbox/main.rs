//! The black-box suite: every case speaks real HTTP to the real app, once for each engine.

#![allow(unreachable_pub, reason = "nothing here is reached from outside")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests, whose helpers clippy does not know as such"
)]

mod cases;
mod replicas;
mod service;
mod without_index;

/// Runs every case on `$engine`; a case takes the service it is to test.
macro_rules! suite {
    ($engine:ident) => {
        mod $engine {
            suite!(@cases $engine
                listing::{walks_every_order_to_its_end, follows_links, takes_filters_together, counts_up_to_a_cap, searches_words},
                cursors::{belong_to_one_listing, are_refused_when_altered, adopt_what_is_not_stated},
                writes::{make_read_change_remove, guard_against_lost_changes, name_the_wrong_field, count_categories},
                caching::{every_operation_says_what_may_be_kept, answers_come_from_the_cache_until_a_write, tells_and_forgets_on_the_admin_port},
                conditions::{answer_304_to_those_who_have_it, show_a_change_at_once},
                hostile::{gets_a_problem_that_names_the_field, is_never_an_error_in_a_search},
                original::{answers_as_it_did},
                search::{
                    forgives_misspellings, goes_on_where_it_began, spreads_matches, completes_words,
                    follows_writes, fills_pages_around_what_is_gone
                },
                idempotency::{
                    makes_one_product_of_many_tries, tells_other_requests_apart, keeps_no_failures, refuses_malformed_keys
                },
                webhooks::{
                    change_products, happen_once_however_often_they_are_sent, are_believed_only_when_signed,
                    are_signed_as_bytes, come_in_any_order, are_parked_and_replayed, are_listed, must_be_events,
                    of_the_original_are_answered_as_it_did
                },
                oauth::{
                    gives_tokens, refuses_as_rfc_6749_says, takes_a_changed_secret_beside_the_old_one, describes_itself
                },
                tokens::{
                    guard_what_the_document_says, are_refused_when_altered, end_in_time, are_gone_with_their_client,
                    outlive_their_key_unless_it_is_taken_back
                },
                subscriptions::{
                    are_told_of_each_change, are_told_what_they_want, are_made_once, are_listed_and_removed,
                    go_nowhere_private, are_tried_again_and_given_up, end_when_the_receiver_is_gone,
                    leave_an_overloaded_receiver_alone, hold_nobody_up, are_served_by_all_instances
                },
                metrics::{are_what_the_table_says, count_what_happened, tell_what_waits},
                framework::{errors_are_problems_too, serves_its_documentation, says_whether_it_is_ready},
            );
        }
    };
    (@cases $engine:ident $($topic:ident::{$($case:ident),* $(,)?}),* $(,)?) => {
        $(mod $topic {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let service = crate::service::Service::start(crate::service::Engine::$engine).await;
                    crate::cases::$topic::$case(&service).await;
                    service.stop().await;
                }
            )*
        })*
    };
}

// An engine is a line.
suite!(sqlite);
suite!(mariadb);
suite!(mariadb_and_redis);

/// One engine is enough: what is counted of requests is the same on all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_have_few_series_whatever_is_asked() {
    let service = service::Service::start(service::Engine::sqlite).await;
    cases::metrics::have_few_series_whatever_is_asked(&service).await;
    service.stop().await;
}
