//! What an operator does. Each case is a function of a [`Bench`], so that it runs on any API server.

use std::future::Future;
use std::pin::Pin;

use crate::rounds::bench::Bench;

mod embedded;
mod jobs;
mod ownership;
mod repair;
mod secrets;
mod switches;

#[allow(dead_code, reason = "as `ALL`")]
pub(crate) type Case = fn(&Bench) -> Pin<Box<dyn Future<Output = ()> + '_>>;

/// Lists the cases once, as tests and by name.
macro_rules! cases {
    ($($module:ident::$case:ident),* $(,)?) => {
        /// All cases.
        #[allow(dead_code, reason = "on a real API server they run as tests only")]
        pub(crate) const ALL: &[(&str, Case)] = &[$((stringify!($case), |bench| Box::pin($module::$case(bench)))),*];

        $(#[tokio::test]
        async fn $case() {
            let (bench, end) = crate::fresh().await;
            $module::$case(&bench).await;
            end.await;
        })*
    };
}

cases! {
    embedded::nothing_asked_for_is_served_from_a_volume,
    embedded::deleting_keeps_the_data_unless_told_otherwise,
    jobs::a_server_is_migrated_then_served_and_seeded,
    jobs::another_image_waits_for_its_migration,
    jobs::a_failed_migration_tells_why_and_is_tried_again_when_its_job_is_deleted,
    jobs::a_job_that_is_no_longer_asked_for_goes,
    jobs::another_password_is_another_try,
    jobs::a_removed_job_is_not_run_again,
    jobs::a_blocking_seed_holds_pods_up,
    jobs::a_seeding_tells_how_far_it_is,
    ownership::what_somebody_else_has_is_left_alone,
    ownership::what_nobody_asks_for_any_more_goes,
    ownership::children_go_with_their_object,
    repair::a_second_round_writes_nothing,
    repair::what_others_change_is_changed_back,
    repair::what_others_add_stays,
    repair::what_is_deleted_comes_back,
    repair::settings_replace_pods_and_tuning_does_not,
    secrets::a_missing_secret_is_told_and_found,
    secrets::a_missing_key_is_told,
    secrets::what_is_no_url_is_told_and_not_shown,
    secrets::another_value_replaces_pods,
    secrets::generated_secrets_are_made_once,
    switches::paused_changes_nothing_and_still_tells,
    switches::stopped_takes_pods_away_and_brings_them_back,
    switches::an_autoscaler_takes_over_without_losing_a_pod,
    switches::too_small_a_budget_is_told,
}
