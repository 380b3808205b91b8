//! Whole hosts with damaged files: read, diagnosed, packed and unpacked.

use host::Tree;
use stack::{bundle, reading};

use super::corpus::{Base, Corpus};
use super::mutate::mutate;
use super::random::Random;
use super::run::Target;

/// The most of a damaged file that a failure shows; its seed gives the rest.
const LONGEST_SHOWN_BYTES: usize = 4096;

/// Diagnoses damaged hosts. Its input is the seed, so that shrinking leaves it alone.
pub(crate) struct Trees<'a> {
    pub(crate) corpus: &'a Corpus,
}

/// What is done to a host.
struct Damage {
    base: String,
    files: Vec<(usize, String, Vec<u8>)>,
    removed: Vec<String>,
    tree: Tree,
}

impl Trees<'_> {
    fn damage(&self, input: &[u8]) -> Option<Damage> {
        let mut random = Random::seeded(u64::from_le_bytes(input.try_into().ok()?));
        let base = random.pick(&self.corpus.bases)?;
        let mut base = if random.one_in(4) { self.crossed(base, &mut random) } else { base.clone() };
        let mut damage = Damage {
            base: std::mem::take(&mut base.name),
            files: vec![],
            removed: vec![],
            tree: Tree::in_memory(1),
        };
        if random.one_in(8)
            && let Some(path) = random.pick(&base.files).map(|file| file.path.clone())
        {
            base.files.retain(|file| file.path != path);
            damage.removed.push(path);
        }
        for _ in 0..=random.below(3) {
            let at = random.below(base.files.len());
            let other = random.pick(&self.corpus.files).map(|(_, bytes)| bytes.as_slice());
            let Some(file) = base.files.get_mut(at) else { continue };
            mutate(&mut file.bytes, other.unwrap_or_default(), &mut random);
            damage.files.push((file.instant, file.path.clone(), file.bytes.clone()));
        }
        damage.tree = base.tree();
        Some(damage)
    }

    /// A host with files of another beside its own, so that layers meet that no document shows together.
    fn crossed(&self, base: &Base, random: &mut Random) -> Base {
        let mut crossed = base.clone();
        if let Some(other) = random.pick(&self.corpus.bases) {
            crossed.files.extend(other.files.iter().cloned());
            crossed.links.extend(other.links.iter().cloned());
            crossed.instants = crossed.instants.max(other.instants);
            crossed.name = format!("{} with {}", base.name, other.name);
        }
        crossed
    }
}

impl Target for Trees<'_> {
    fn name(&self) -> &str {
        "read_tree and diagnose"
    }

    fn weight(&self) -> usize {
        40
    }

    fn input(&self, random: &mut Random) -> Vec<u8> {
        random.next().to_le_bytes().into()
    }

    fn call(&self, input: &[u8]) {
        let Some(damage) = self.damage(input) else { return };
        let Ok(evidence) = reading::read_tree(&damage.tree) else { return };
        let report = stack::diagnose(&evidence);
        assert!(serde_json::to_vec(&report).is_ok(), "the report cannot be written as JSON");
        if input.first().is_some_and(|byte| *byte < 16) {
            let packed = bundle::write(&evidence).unwrap_or_default();
            let unpacked = bundle::read(&packed).map(|read| stack::diagnose(&read));
            assert!(unpacked.is_ok(), "a bundle that was just written cannot be read: {unpacked:?}");
        }
    }

    fn shown(&self, input: &[u8]) -> String {
        let Some(damage) = self.damage(input) else { return String::new() };
        let mut text = format!("the host of “{}”, without {:?}, with", damage.base, damage.removed);
        for (instant, path, bytes) in &damage.files {
            let shown = bytes.get(..LONGEST_SHOWN_BYTES).unwrap_or(bytes);
            let cut = bytes.len() - shown.len();
            text += &format!("\n    {path} at {instant}: b\"{}\" and {cut} bytes more", shown.escape_ascii());
        }
        text
    }
}
