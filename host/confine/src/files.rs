//! Files, held by Landlock (`Documentation/userspace-api/landlock.rst` in the kernel).

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
};

use crate::{Gap, Needs, Place, Use};

/// The newest version of Landlock whose rights are all known here. Older kernels hold as
/// much as they can.
const NEWEST: ABI = ABI::V7;

/// Makes the rules.
pub(crate) fn rules(needs: &Needs) -> Result<RulesetCreated, RulesetError> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    for place in &needs.places {
        // What isn't there stays closed.
        if let Ok(open) = PathFd::new(&place.path) {
            rules = rules.add_rule(PathBeneath::new(open, rights(place)))?;
        }
    }
    Ok(rules)
}

/// Holds this thread by the rules. Returns what the kernel can't hold.
pub(crate) fn hold(rules: RulesetCreated) -> Result<Option<Gap>, RulesetError> {
    let status = rules.restrict_self()?;
    Ok(Gap::of_landlock(&status.landlock))
}

/// Returns the rights. A file takes only those of files.
fn rights(place: &Place) -> BitFlags<AccessFs> {
    let rights = rights_of(place.uses);
    match place.path.is_dir() {
        true => rights,
        false => rights & AccessFs::from_file(NEWEST),
    }
}

fn rights_of(uses: Use) -> BitFlags<AccessFs> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = AccessFs::WriteFile | AccessFs::Truncate;
    match uses {
        Use::Read => read,
        Use::Write => read | write,
        Use::Keep => read | write | AccessFs::MakeReg | AccessFs::RemoveFile,
        Use::RemoveFiles => AccessFs::RemoveFile.into(),
        Use::RemoveFolders => AccessFs::RemoveDir.into(),
        Use::Device => AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev,
    }
}
