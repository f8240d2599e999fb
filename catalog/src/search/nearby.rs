//! Recognises words so many edits apart from a word, or from a beginning of it.

use tantivy::query::DfaWrapper;
use tantivy_fst::Automaton;

/// The automaton of tantivy for whole words, which may stop at a beginning. Its own one for beginnings misses
/// words: it goes on past a beginning that is near enough in the hope of a nearer one, and forgets it when there
/// is none ("organisc" begins with "organis", two edits from "organicxs", and is itself three away).
pub(super) struct Nearby {
    whole: DfaWrapper,
    /// Whether a beginning is enough.
    beginning: bool,
}

impl Nearby {
    pub(super) fn new(whole: DfaWrapper, beginning: bool) -> Self {
        Self { whole, beginning }
    }
}

/// Where the whole word's automaton is, and whether a beginning was near enough on the way.
#[derive(Clone)]
pub(super) struct State {
    whole: u32,
    begun: bool,
}

impl Automaton for Nearby {
    type State = State;

    fn start(&self) -> State {
        State { whole: self.whole.start(), begun: false }
    }

    fn is_match(&self, state: &State) -> bool {
        state.begun || self.whole.is_match(&state.whole)
    }

    fn can_match(&self, state: &State) -> bool {
        state.begun || self.whole.can_match(&state.whole)
    }

    fn will_always_match(&self, state: &State) -> bool {
        state.begun
    }

    fn accept(&self, state: &State, byte: u8) -> State {
        if state.begun {
            return state.clone();
        }
        let whole = self.whole.accept(&state.whole, byte);
        let begun = self.beginning && self.whole.is_match(&whole);
        State { whole, begun }
    }
}
