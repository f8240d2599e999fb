//! What a try means: for the delivery, and for all else that goes to the same receiver. A pure function.

use std::time::Duration;

use farmlokal_catalog::Timestamp;
use farmlokal_catalog::subscription::{DeliveryState, Due, ReceiverEffect, Settled};

use super::Schedule;
use super::client::Reply;

/// A receiver that is overloaded is left alone for so long, unless it says how long.
const BREATHER: Duration = Duration::from_secs(30);
/// No receiver is left alone for longer, whatever it says.
const LONGEST_BREATHER: Duration = Duration::from_secs(24 * 60 * 60);

/// What `reply` means for `due`.
pub(super) fn settle(due: &Due, reply: &Reply, schedule: &Schedule, now: Timestamp) -> Settled {
    let (status, outcome) = describe(reply);
    let ended = |state, receiver| Settled { state, next_at: now, status, outcome: outcome.clone(), receiver };
    match status {
        Some(200..=299) => return ended(DeliveryState::Delivered, None),
        Some(410) => {
            let reason = "the receiver says that it is gone for good (HTTP 410)".to_owned();
            return ended(DeliveryState::Failed, Some(ReceiverEffect::Disable(reason)));
        }
        _ => {}
    }
    let attempts = due.attempts.saturating_add(1);
    let Some(next) = schedule.next(due.number, attempts, now) else {
        let reason = format!("event {} was tried {attempts} times in vain; at last: {outcome}", due.event);
        return ended(DeliveryState::Failed, Some(ReceiverEffect::Disable(reason)));
    };
    let leave_alone = breather(reply).map(|breather| Timestamp::from(now.to_utc() + breather));
    let next_at = leave_alone.map_or(next, |until| next.max(until));
    let receiver = leave_alone.map(ReceiverEffect::LeaveAloneUntil);
    Settled { next_at, ..ended(DeliveryState::Pending, receiver) }
}

/// How long the receiver is to be left alone, if it is.
fn breather(reply: &Reply) -> Option<Duration> {
    let Reply::Answered { status, retry_after } = reply else { return None };
    let overloaded = matches!(status, 429 | 502 | 504);
    let breather = retry_after.or(overloaded.then_some(BREATHER))?;
    Some(breather.min(LONGEST_BREATHER))
}

/// The status, and what happened in words.
fn describe(reply: &Reply) -> (Option<u16>, String) {
    match reply {
        Reply::Answered { status, .. } => (Some(*status), format!("HTTP {status}")),
        Reply::Silent => (None, "no answer in time".to_owned()),
        Reply::Unreachable => (None, "no connection".to_owned()),
        Reply::Untrusted => (None, "its certificate is not trusted here".to_owned()),
        Reply::Refused(refused) => (None, format!("the URL {refused}")),
        Reply::Unsigned => (None, "there is no secret to sign with".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use farmlokal_catalog::ProductId;
    use farmlokal_catalog::subscription::SubscriptionId;

    use super::*;
    use crate::subscriptions::Refused;

    fn due(attempts: u32) -> Due {
        Due {
            number: 7,
            subscription: SubscriptionId::new(1).unwrap(),
            event: "evt_1".parse().unwrap(),
            product: ProductId::new(1).unwrap(),
            payload: Vec::new(),
            attempts,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000).unwrap()
    }

    fn settled(attempts: u32, reply: &Reply) -> Settled {
        settle(&due(attempts), reply, &Schedule { delays: "5s 300s".parse().unwrap(), seed: 1 }, at(1_000))
    }

    fn answered(status: u16, retry_after: Option<u64>) -> Reply {
        Reply::Answered { status, retry_after: retry_after.map(Duration::from_secs) }
    }

    /// From now on, in whole seconds.
    fn wait(settled: &Settled) -> i64 {
        (settled.next_at.micros() - at(1_000).micros()) / 1_000_000
    }

    #[test]
    fn every_success_is_one() {
        for status in [200, 201, 202, 204, 299] {
            let settled = settled(1, &answered(status, Some(60)));
            assert_eq!(
                (settled.state, settled.status, settled.receiver),
                (DeliveryState::Delivered, Some(status), None)
            );
        }
    }

    #[test]
    fn all_else_is_tried_again_on_schedule() {
        for reply in [
            answered(100, None),
            answered(301, None),
            answered(307, None),
            answered(400, None),
            answered(404, None),
            answered(500, None),
            answered(503, None),
            Reply::Silent,
            Reply::Unreachable,
            Reply::Untrusted,
            Reply::Refused(Refused::Address),
            Reply::Unsigned,
        ] {
            let first = settled(0, &reply);
            assert_eq!((first.state, wait(&first), &first.receiver), (DeliveryState::Pending, 5, &None), "{reply:?}");
            let second = settled(1, &reply);
            assert!(second.state == DeliveryState::Pending && (300..330).contains(&wait(&second)), "{reply:?}");
            let last = settled(2, &reply);
            let Some(ReceiverEffect::Disable(reason)) = &last.receiver else { panic!("{reply:?}") };
            assert_eq!(last.state, DeliveryState::Failed);
            assert!(reason.contains("evt_1 was tried 3 times") && reason.ends_with(&last.outcome), "{reason}");
        }
    }

    #[test]
    fn who_is_gone_is_not_asked_again() {
        let gone = settled(0, &answered(410, Some(5)));
        assert_eq!((gone.state, gone.status), (DeliveryState::Failed, Some(410)));
        assert!(matches!(gone.receiver, Some(ReceiverEffect::Disable(_))));
    }

    #[test]
    fn who_is_overloaded_is_left_alone() {
        for (reply, alone, next) in [
            (answered(429, None), 30, 30),
            (answered(502, None), 30, 30),
            (answered(504, None), 30, 30),
            (answered(429, Some(120)), 120, 120),
            (answered(503, Some(120)), 120, 120),
            (answered(429, Some(1)), 1, 5),
            (answered(429, Some(u64::MAX)), 86_400, 86_400),
        ] {
            let settled = settled(0, &reply);
            assert_eq!(settled.receiver, Some(ReceiverEffect::LeaveAloneUntil(at(1_000 + alone))), "{reply:?}");
            assert_eq!((settled.state, wait(&settled)), (DeliveryState::Pending, next), "{reply:?}");
        }
    }
}
