//! How many actions were tried and blocked, for each class of grants.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use crate::class::{CLASSES, Class};

/// The numbers of tried and of blocked actions by the class's name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Count(Arc<Mutex<BTreeMap<&'static str, [usize; 2]>>>);

impl Count {
    /// Counts actions that must be blocked, and fails if some aren't.
    #[track_caller]
    pub(crate) fn all_are_blocked(&self, class: &Class, results: &[Result<(), String>]) {
        let blocked = results.iter().filter(|result| result.is_ok()).count();
        let mut counts = self.0.lock().expect("no counting panics");
        let count = counts.entry(class.name).or_default();
        count[0] += results.len();
        count[1] += blocked;
        drop(counts);
        let through: Vec<_> = results.iter().filter_map(|it| it.as_ref().err()).collect();
        assert!(through.is_empty(), "{}: {through:#?}", class.name);
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.lock().expect("no counting panics");
        for class in CLASSES {
            let Some([tried, blocked]) = counts.get(class.name) else {
                continue;
            };
            writeln!(
                f,
                "payloads, {}: {tried} tried, {blocked} blocked; {} system calls allowed",
                class.name,
                class.allowed_calls().len()
            )?;
        }
        Ok(())
    }
}
