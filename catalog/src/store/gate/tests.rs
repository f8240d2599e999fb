use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use tokio::task::JoinSet;

use super::*;

const QUEUE: usize = 6;

/// One step of a schedule; numbers choose among those who are there.
#[derive(Debug, Clone)]
enum Step {
    Arrive,
    Leave(usize),
    GiveUp(usize),
    /// Those who wait look whether they were called, from the one chosen on.
    Look(usize),
    Limit(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Arrive),
        3 => any::<usize>().prop_map(Step::Leave),
        2 => any::<usize>().prop_map(Step::GiveUp),
        2 => any::<usize>().prop_map(Step::Look),
        1 => (0u32..6).prop_map(Step::Limit),
    ]
}

/// Who waits, and when it came: those who came first must be called first.
struct Waiting {
    arrived: usize,
    coming: Pin<Box<dyn Future<Output = Permit>>>,
}

/// The gate beside the simplest description of it: a limit, a number, a queue.
struct Pair {
    gate: Arc<Gate>,
    permits: Vec<Permit>,
    waiting: Vec<Waiting>,
    arrivals: usize,
    limit: u32,
    /// Those who are inside, called and on their way included.
    inside: u32,
    queue: VecDeque<usize>,
}

impl Pair {
    fn new(limit: u32) -> Self {
        Self {
            gate: Gate::new(limit, QUEUE),
            permits: Vec::new(),
            waiting: Vec::new(),
            arrivals: 0,
            limit,
            inside: 0,
            queue: VecDeque::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Arrive => self.arrive(),
            Step::Leave(which) if !self.permits.is_empty() => {
                self.permits.swap_remove(which % self.permits.len());
                self.inside -= 1;
            }
            Step::GiveUp(which) if !self.waiting.is_empty() => {
                let gone = self.waiting.remove(which % self.waiting.len());
                match self.queue.iter().position(|arrived| *arrived == gone.arrived) {
                    Some(place) => drop(self.queue.remove(place)),
                    None => self.inside -= 1,
                }
            }
            Step::Look(first) if !self.waiting.is_empty() => {
                let first = first % self.waiting.len();
                self.waiting.rotate_left(first);
                self.look();
                self.waiting.sort_by_key(|waiting| waiting.arrived);
            }
            Step::Limit(limit) => {
                self.gate.set_limit(limit);
                self.limit = limit.max(1);
            }
            _ => {}
        }
        while self.inside < self.limit && self.queue.pop_front().is_some() {
            self.inside += 1;
        }
    }

    fn arrive(&mut self) {
        let (room, place) = (self.inside < self.limit, self.queue.len() < QUEUE);
        let arrived = self.arrivals;
        self.arrivals += 1;
        match self.gate.arrive() {
            Ok(Arrival::Inside(permit)) => {
                assert!(room, "let in over the limit");
                self.permits.push(permit);
                self.inside += 1;
            }
            Ok(Arrival::Waits(turn)) => {
                assert!(!room && place);
                self.waiting.push(Waiting { arrived, coming: Box::pin(turn.come()) });
                self.queue.push_back(arrived);
            }
            Err(QueueFull) => assert!(!room && !place),
        }
    }

    /// Has all who wait see whether they were called.
    fn look(&mut self) {
        for mut waiting in std::mem::take(&mut self.waiting) {
            match waiting.coming.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(permit) => {
                    assert!(!self.queue.contains(&waiting.arrived), "called out of its turn");
                    self.permits.push(permit);
                }
                Poll::Pending => {
                    assert!(self.queue.contains(&waiting.arrived), "not called although it was its turn");
                    self.waiting.push(waiting);
                }
            }
        }
    }

    fn agree(&self) {
        let Standing { limit, inside, waiting, .. } = self.gate.standing();
        assert_eq!((limit, inside, waiting), (self.limit, self.inside, self.queue.len() as u32));
        assert!(waiting == 0 || inside >= limit, "a place is free while somebody waits");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order: nobody is let in over the limit, in another order than they came, or
    /// forgotten, and no place is lost.
    #[test]
    fn it_does_what_its_description_does(limit in 1u32..6, steps in prop::collection::vec(step(), 1..120)) {
        let mut pair = Pair::new(limit);
        for step in steps {
            let before = pair.inside;
            pair.take(step);
            pair.agree();
            prop_assert!(pair.inside <= pair.limit.max(before));
        }
        // Settled: as those inside leave, all who wait come in, and in the end the whole room is there.
        while !pair.waiting.is_empty() {
            pair.take(Step::Leave(0));
            pair.take(Step::Look(0));
            pair.agree();
        }
        pair.permits.clear();
        let all: Vec<_> = (0..pair.limit).map(|_| pair.gate.arrive()).collect();
        prop_assert!(all.iter().all(|arrival| matches!(arrival, Ok(Arrival::Inside(_)))));
        prop_assert!(matches!(pair.gate.arrive(), Ok(Arrival::Waits(_))));
    }
}

/// The same from many threads: limits go up and down, callers come, wait, give up and leave.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_place_is_lost_or_made_up_among_threads() {
    const ROUNDS: u32 = 300;
    let gate = Gate::new(3, usize::MAX);
    let (inside, over) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let mut callers = JoinSet::new();
    for caller in 0..24u32 {
        let (gate, inside, over) = (Arc::clone(&gate), Arc::clone(&inside), Arc::clone(&over));
        callers.spawn(async move {
            for round in 0..ROUNDS {
                let permit = match gate.arrive().unwrap() {
                    Arrival::Inside(permit) => permit,
                    Arrival::Waits(turn) if (caller + round) % 3 == 0 => {
                        tokio::task::yield_now().await;
                        drop(turn);
                        continue;
                    }
                    Arrival::Waits(turn) => turn.come().await,
                };
                // 8 is the highest limit there ever is.
                if inside.fetch_add(1, Ordering::SeqCst) >= 8 {
                    over.store(true, Ordering::SeqCst);
                }
                tokio::task::yield_now().await;
                inside.fetch_sub(1, Ordering::SeqCst);
                drop(permit);
                if caller == 0 {
                    gate.set_limit(1 + round % 8);
                }
            }
        });
    }
    let ended = async { while callers.join_next().await.transpose().unwrap().is_some() {} };
    tokio::time::timeout(Duration::from_secs(60), ended).await.expect("a caller waits for a place that was lost");
    assert!(!over.load(Ordering::SeqCst), "more were inside than any limit allowed");
    gate.set_limit(5);
    assert_eq!((gate.standing().inside, gate.standing().waiting), (0, 0));
    let all: Vec<_> = (0..6).map(|_| gate.arrive().unwrap()).collect();
    assert_eq!(all.iter().filter(|arrival| matches!(arrival, Arrival::Inside(_))).count(), 5);
}

#[tokio::test(start_paused = true)]
async fn time_inside_is_added_up_while_it_passes() {
    let second = Duration::from_secs(1);
    let gate = Gate::new(2, 1);
    let first = gate.arrive().unwrap();
    tokio::time::advance(second).await;
    let second_one = gate.arrive().unwrap();
    tokio::time::advance(second).await;
    assert_eq!(gate.standing().inside_time, 3 * second, "those still inside count");
    let Arrival::Inside(permit) = &first else { panic!("{first:?}") };
    assert_eq!(permit.held(), 2 * second);
    drop(first);
    tokio::time::advance(second).await;
    drop(second_one);
    tokio::time::advance(second).await;
    assert_eq!(gate.standing().inside_time, 4 * second);
}
