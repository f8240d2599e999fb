//! Interleavings of readers, writers, fills and evictions, against what must never happen: a request that
//! began after a process heard of a write gets an answer from before it.

use proptest::prelude::*;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// A request comes to the process; its computation, if there is one, waits after reading the database.
    Ask(usize),
    /// One computation that waits goes on to its end.
    Finish(usize),
    /// A write is committed by the process, which has not told anybody yet.
    Commit(usize),
    /// A process tells of what it committed, and hears of it itself.
    Tell(usize),
    /// A process hears of all that was told.
    Hear(usize),
    /// A process' memory is lost.
    Forget(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let process = 0..2_usize;
    let step = prop_oneof![
        4 => process.clone().prop_map(Step::Ask),
        4 => (0..8_usize).prop_map(Step::Finish),
        2 => process.clone().prop_map(Step::Commit),
        2 => process.clone().prop_map(Step::Tell),
        2 => process.clone().prop_map(Step::Hear),
        1 => process.prop_map(Step::Forget),
    ];
    prop::collection::vec(step, 1..60)
}

/// A request under way: what its answer must at least be.
struct Request {
    at_least: usize,
    answer: JoinHandle<usize>,
}

/// Two processes, and what each has heard of.
struct World {
    caches: [Arc<Cache<Broken>>; 2],
    /// Tells entries of one process to the other, as Redis would.
    source: Source,
    committed: [Vec<usize>; 2],
    told: Vec<(usize, Vec<(Namespace, u64)>)>,
    heard: [usize; 2],
    /// Computations that wait, each with its own gate.
    gates: Vec<Arc<Semaphore>>,
    requests: Vec<Request>,
}

impl World {
    fn new() -> Self {
        Self {
            caches: [cache().0, cache().0],
            source: Source::default(),
            committed: [vec![], vec![]],
            told: vec![],
            heard: [0, 0],
            gates: vec![],
            requests: vec![],
        }
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Ask(process) => self.ask(process),
            Step::Finish(gate) => {
                if !self.gates.is_empty() {
                    let gate = self.gates.swap_remove(gate % self.gates.len());
                    gate.add_permits(1);
                }
            }
            Step::Commit(process) => {
                let value = self.source.value.fetch_add(1, Ordering::SeqCst) + 1;
                self.committed[process].push(value);
            }
            Step::Tell(process) => {
                for value in std::mem::take(&mut self.committed[process]) {
                    self.caches[process].void(value as u64, &[Namespace::Products]).await;
                    let generation = self.caches[process].generations.get(Namespace::Products);
                    self.told.push((value, vec![(Namespace::Products, generation)]));
                    self.heard[process] = self.heard[process].max(value);
                }
            }
            Step::Hear(process) => {
                for (value, raised) in &self.told {
                    self.caches[process].adopt(&News { number: *value as u64, raised: raised.clone() });
                    self.heard[process] = self.heard[process].max(*value);
                }
            }
            Step::Forget(process) => self.caches[process].local.invalidate_all(),
        }
        settle().await;
    }

    fn ask(&mut self, process: usize) {
        let (cache, source) = (Arc::clone(&self.caches[process]), self.source.clone());
        let gate = Arc::new(Semaphore::new(0));
        self.gates.push(Arc::clone(&gate));
        let load = async move {
            let read = source.load().await;
            let _ = gate.acquire().await;
            read
        };
        let answer = tokio::spawn(async move {
            let served = cache.fetch(asked(), || load).await.unwrap();
            body(&served).parse().unwrap()
        });
        self.requests.push(Request { at_least: self.heard[process], answer });
    }

    async fn end(self) -> Result<(), TestCaseError> {
        for gate in &self.gates {
            gate.add_permits(1);
        }
        for request in self.requests {
            let answer = request.answer.await.unwrap();
            prop_assert!(answer >= request.at_least, "{answer} after hearing of {}", request.at_least);
        }
        Ok(())
    }
}

/// Lets every task run until it waits.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn no_request_gets_an_answer_from_before_a_write_its_process_had_heard_of(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for step in steps {
                world.step(step).await;
            }
            world.end().await
        })?;
    }
}
