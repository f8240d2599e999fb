//! What replicas share in Redis: generations, entries, and leave to compute one.
//!
//! Keys begin with the catalogue's own name, so that several catalogues may share a server. Those of one
//! script have one hash tag, for Cluster. Generations have no expiry: a server that evicts should do so by
//! a `volatile-*` policy. Should they be lost all the same, all begin anew at the server's time, which is
//! above every generation before.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Script};

use super::entry::Entry;
use super::namespace::Namespace;
use super::question::Key;
use crate::redis::{LinkError, Redis};

/// For how long one process may be the only one to compute an answer; when it dies, the others wait so long.
pub(super) const LEASE: Duration = Duration::from_secs(2);

/// Larger numbers are none of ours: a double counts on exactly up to here, and as microseconds this is the
/// year 2112.
const HIGHEST: u64 = 1 << 52;

/// What both scripts about generations begin with. A key that somebody else made something of is removed.
const PRELUDE: &str = "
    local kind = redis.call('TYPE', KEYS[1]).ok
    if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
    local function number(text)
        local value = tonumber(text or '') or 0
        if value > 4503599627370496 then return 0 end
        return value
    end
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local base = number(redis.call('HGET', KEYS[1], 'base'))
    if base == 0 then
        base = now
        redis.call('HSET', KEYS[1], 'base', string.format('%.0f', base))
    end
    local message = ''
    local function raise(field, value)
        local text = string.format('%.0f', value)
        redis.call('HSET', KEYS[1], field, text)
        message = message .. ' ' .. field .. '=' .. text
    end
    local function old(field) return math.max(number(redis.call('HGET', KEYS[1], field)), base) end
";

/// Voids what a change touches, once for each number of the log, however many processes repeat it.
const VOID: &str = "
    local kind = redis.call('TYPE', KEYS[2]).ok
    if kind ~= 'list' and kind ~= 'none' then redis.call('DEL', KEYS[2]) end
    if ARGV[1] ~= '0' then
        if redis.call('LPOS', KEYS[2], ARGV[1]) then return '' end
        redis.call('LPUSH', KEYS[2], ARGV[1])
        redis.call('LTRIM', KEYS[2], 0, 1023)
    end
    for i = 3, #ARGV, 2 do raise(ARGV[i], math.max(now, old(ARGV[i]) + 1, number(ARGV[i + 1]))) end
    redis.call('PUBLISH', ARGV[2], ARGV[1] .. message)
    return ARGV[1] .. message
";

/// Raises what the caller knows higher, notes how far it has read the log, and gives all there is.
const MEET: &str = "
    for i = 3, #ARGV, 2 do
        if number(ARGV[i + 1]) > old(ARGV[i]) then raise(ARGV[i], number(ARGV[i + 1])) end
    end
    if message ~= '' then redis.call('PUBLISH', ARGV[2], '0' .. message) end
    if number(ARGV[1]) > number(redis.call('HGET', KEYS[1], 'position')) then
        redis.call('HSET', KEYS[1], 'position', ARGV[1])
    end
    return redis.call('HGETALL', KEYS[1])
";

/// Takes the lease, if it is free, and looks at the entry after that: what was stored before the lease was given back is
/// seen. What is no string is somebody else's, and none.
const TAKE: &str = "
    local taken = redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2])
    local entry = redis.pcall('GET', KEYS[1])
    if type(entry) == 'table' then entry = false end
    return {entry, taken and 1 or 0}
";

/// Stores an entry, if the lease is still the caller's, and gives the lease back.
const FILL: &str = "
    if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
    redis.call('DEL', KEYS[2])
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
    return 1
";

/// Gives the lease back, if it is still the caller's.
const RELEASE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/// What is shared of one catalogue.
pub(super) struct Shared {
    redis: Arc<Redis>,
    catalogue: String,
    void: Script,
    meet: Script,
    take: Script,
    fill: Script,
    release: Script,
}

/// The generations as Redis has them, and how far their log was read by the one who read furthest.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) generations: HashMap<usize, u64>,
    /// What those have that are not listed.
    pub(super) base: u64,
    pub(super) position: Option<u64>,
}

/// What is said on the channel: the number of a change in the log (0 for none), and what it raised.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct News {
    pub(super) number: u64,
    pub(super) raised: Vec<(Namespace, u64)>,
}

impl Shared {
    /// What is shared of the catalogue that calls itself `identity`.
    pub(super) fn new(redis: Arc<Redis>, identity: &str) -> Self {
        let script = |prelude: &str, code: &str| Script::new(&format!("{prelude}{code}"));
        Self {
            redis,
            catalogue: format!("farmlokal:{identity}"),
            void: script(PRELUDE, VOID),
            meet: script(PRELUDE, MEET),
            take: script("", TAKE),
            fill: script("", FILL),
            release: script("", RELEASE),
        }
    }

    /// The channel on which news of generations come.
    pub(super) fn channel(&self) -> String {
        format!("{}:generations", self.catalogue)
    }

    /// Voids `namespaces` (each with the generation it is to have at least) for the change `number` of the
    /// log, or for none when 0. `None`: somebody else has done so for this change.
    pub(super) async fn void(&self, number: u64, namespaces: &[(Namespace, u64)]) -> Result<Option<News>, LinkError> {
        let mut call = self.void.prepare_invoke();
        call.key(self.table()).key(format!("{{{}}}:seen", self.channel())).arg(number).arg(self.channel());
        for (namespace, generation) in namespaces {
            call.arg(namespace.to_string()).arg(*generation);
        }
        let said: String = self.redis.invoke(&call).await?;
        Ok(News::read(&said))
    }

    /// Raises `higher`, notes that the log was read up to `position`, and gives what there is then.
    pub(super) async fn meet(&self, position: u64, higher: &[(Namespace, u64)]) -> Result<Snapshot, LinkError> {
        let mut call = self.meet.prepare_invoke();
        call.key(self.table()).arg(position).arg(self.channel());
        for (namespace, generation) in higher {
            call.arg(namespace.to_string()).arg(*generation);
        }
        let fields: HashMap<String, String> = self.redis.invoke(&call).await?;
        Ok(Snapshot::read(&fields))
    }

    /// The entry for `key`; `None` for anything that is not one.
    pub(super) async fn get(&self, key: &Key) -> Result<Option<Entry>, LinkError> {
        match self.redis.run::<Option<Vec<u8>>>(&Cmd::get(self.entry(key))).await {
            Ok(bytes) => Ok(read(bytes, key)),
            // Not a string: somebody else's, and overwritten by the next fill.
            Err(LinkError::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Tries to get leave to compute the entry for `key`: the entry that is there by now, and whether leave was given.
    pub(super) async fn lease(&self, key: &Key, token: &str) -> Result<(Option<Entry>, bool), LinkError> {
        let mut call = self.take.prepare_invoke();
        call.key(self.entry(key)).key(self.lease_key(key)).arg(token).arg(LEASE.as_millis() as u64);
        let (bytes, taken): (Option<Vec<u8>>, bool) = self.redis.invoke(&call).await?;
        Ok((read(bytes, key), taken))
    }

    /// The entry for `key`, if there is one by now, and whether somebody has leave to compute it.
    pub(super) async fn look(&self, key: &Key) -> Result<(Option<Entry>, bool), LinkError> {
        let command = Cmd::mget(&[self.entry(key), self.lease_key(key)]);
        let (bytes, lease): (Option<Vec<u8>>, Option<Vec<u8>>) = self.redis.run(&command).await?;
        Ok((read(bytes, key), lease.is_some()))
    }

    /// Stores `entry` for `lifetime`, if the lease is still `token`'s; gives the lease back.
    pub(super) async fn fill(
        &self,
        key: &Key,
        token: &str,
        entry: &Entry,
        lifetime: Duration,
    ) -> Result<bool, LinkError> {
        let mut call = self.fill.prepare_invoke();
        call.key(self.entry(key)).key(self.lease_key(key));
        call.arg(token).arg(entry.encode()).arg(lifetime.as_millis().max(1) as u64);
        Ok(self.redis.invoke::<u8>(&call).await? == 1)
    }

    /// Gives the lease back, if it is still `token`'s.
    pub(super) async fn release(&self, key: &Key, token: &str) -> Result<(), LinkError> {
        let mut call = self.release.prepare_invoke();
        call.key(self.lease_key(key)).arg(token);
        self.redis.invoke::<u8>(&call).await.map(|_| ())
    }

    fn table(&self) -> String {
        format!("{{{}}}", self.channel())
    }

    pub(super) fn entry(&self, key: &Key) -> String {
        format!("{}:{{{:032x}}}:entry", self.catalogue, key.hash)
    }

    fn lease_key(&self, key: &Key) -> String {
        format!("{}:{{{:032x}}}:lease", self.catalogue, key.hash)
    }
}

fn read(bytes: Option<Vec<u8>>, key: &Key) -> Option<Entry> {
    Entry::decode(&bytes?).filter(|entry| entry.question == key.question)
}

impl News {
    /// What `text` says: `NUMBER NAMESPACE=GENERATION …`; `None` for anything else.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let number = words.next()?.parse().ok()?;
        let raised = words.map(|word| {
            let (field, value) = word.split_once('=')?;
            Some((Namespace::at(field.parse().ok()?)?, generation(value)?))
        });
        Some(Self { number, raised: raised.collect::<Option<_>>()? })
    }
}

impl Snapshot {
    fn read(fields: &HashMap<String, String>) -> Self {
        let get = |name: &str| fields.get(name).and_then(|text| generation(text));
        let generations = fields.iter().filter_map(|(field, value)| Some((field.parse().ok()?, generation(value)?)));
        Self { generations: generations.collect(), base: get("base").unwrap_or(0), position: get("position") }
    }

    /// The generation of `namespace`.
    pub(super) fn of(&self, namespace: Namespace) -> u64 {
        self.generations.get(&namespace.index()).copied().unwrap_or(0).max(self.base)
    }
}

fn generation(text: &str) -> Option<u64> {
    text.parse().ok().filter(|value| *value <= HIGHEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_read_whole_or_not_at_all() {
        let news = News { number: 7, raised: vec![(Namespace::Products, 12), (Namespace::Category(3), 13)] };
        assert_eq!(News::read("7 1=12 5=13"), Some(news));
        assert_eq!(News::read("0"), Some(News { number: 0, raised: vec![] }));
        for wrong in ["", "x", "7 1", "7 1=x", "7 99999=1", "7 1=4503599627370497", "-1 1=1"] {
            assert_eq!(News::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_snapshot_leaves_out_what_is_no_generation() {
        let fields = [("base", "5"), ("1", "9"), ("2", "garbage"), ("3", "99999999999999999999"), ("other", "7")];
        let fields = fields.map(|(field, value)| (field.to_owned(), value.to_owned())).into();
        let snapshot = Snapshot::read(&fields);
        assert_eq!(
            (snapshot.of(Namespace::Products), snapshot.of(Namespace::Category(0)), snapshot.position),
            (9, 5, None)
        );
    }
}
