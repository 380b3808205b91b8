//! From what a cause asks for to operations: what is written now, and what makes it last over a boot.

use host::Host;
use model::{ChangeKind, Edit};

use super::boot;
use super::choose::Wish;
use super::states::States;
use super::{Activation, PlanOptions, lower_files, lower_sql};
use crate::kinds::{
    Access, BlockQueue, Channels, File, IrqAffinity, Module, ModuleParameter, Mount, NetworkNamespace,
    PacketSteering, Qdisc, Ring, RingSide, SqlStatement, SqlVariable, Sysctl, is_option,
};
use crate::owners::{
    Claim, Mounts, Owners, Place, RUNTIME_HOLDS_IT, claim_of_managed_file, loads_at_boot,
    module_parameter_place, read_file,
};
use crate::{Action, ChangeError, Phase, State, Target};

/// One operation without the state it starts from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) target: Target,
    pub(super) action: Action,
    pub(super) phase: Phase,
}

/// A wish with the steps that fulfil it.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) wish: Wish,
    pub(super) steps: Vec<Step>,
    pub(super) reloads: Vec<Activation>,
}

/// Everything that lowering looks at.
pub(super) struct Ground<'a> {
    pub(super) host: &'a dyn Host,
    pub(super) states: &'a dyn States,
    pub(super) owners: &'a Owners<'a>,
    pub(super) mounts: &'a Mounts<'a>,
    pub(super) options: &'a PlanOptions,
}

impl From<ChangeError> for Claim {
    fn from(error: ChangeError) -> Self {
        let instead = error.help.clone().unwrap_or_else(|| "make the change by hand".to_owned());
        Self { because: format!("narrows cannot {}: {}", error.attempted, error.why), owner: None, instead }
    }
}

/// Whether a change says exactly what to write, so that a program can. Where it says it in words, a person must.
pub(super) fn settable(what: &ChangeKind, value: &str) -> bool {
    let word = |value: &str| {
        !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte))
    };
    let figures = |word: &str| {
        word.bytes().any(|byte| byte.is_ascii_digit())
            && word.bytes().all(|byte| byte.is_ascii_digit() || b",.:-".contains(&byte))
    };
    let number = |value: &str| value.parse::<u32>().is_ok();
    let list = |value: &str| {
        !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_hexdigit() || b",-".contains(&byte))
    };
    match what {
        ChangeKind::Sysctl { .. } => {
            word(value) || (!value.is_empty() && value.split_whitespace().all(figures))
        }
        ChangeKind::IrqAffinity { .. } | ChangeKind::PacketSteering { .. } => list(value),
        ChangeKind::Ring { .. } | ChangeKind::Channels { .. } => number(value),
        ChangeKind::Qdisc { .. } => match value.split(' ').collect::<Vec<_>>().as_slice() {
            [kind, "limit", limit] => word(kind) && number(limit),
            ["cake", "bandwidth", rate] => {
                rate.strip_suffix("bit").is_some_and(|bits| bits.parse::<u64>().is_ok())
            }
            _ => word(value),
        },
        ChangeKind::BlockQueue { .. } => word(value),
        ChangeKind::ModuleParameter { name } => name.contains('.') && word(value),
        ChangeKind::Module { name } => word(name),
        ChangeKind::Mount { set, remove, .. } => !set.is_empty() || !remove.is_empty(),
        ChangeKind::File { path, edits, .. } => {
            !edits.is_empty() && lower_files::unchecked(path, edits).is_none()
        }
        ChangeKind::Unit { name, settings } => {
            lower_files::section(name).is_some()
                && !settings.is_empty()
                && settings.iter().all(|setting| setting.contains('='))
        }
        ChangeKind::SqlVariable { server, name, .. } => {
            !server.is_empty() && is_option(name) && !value.chars().any(char::is_control)
        }
        ChangeKind::SqlStatement { server, up, probe, .. } => {
            ![server, up, probe].iter().any(|text| text.trim().is_empty())
        }
        ChangeKind::Elsewhere { .. } => false,
    }
}

/// The target that gives a change its name.
pub(super) fn target_of(what: &ChangeKind, namespace: Option<&NetworkNamespace>) -> Option<Target> {
    let namespace = || namespace.cloned();
    Some(match what {
        ChangeKind::Sysctl { key } => {
            let namespace = namespace().filter(|_| key.starts_with("net.") || key.starts_with("net/"));
            Target::Sysctl(Sysctl { key: key.clone(), namespace })
        }
        ChangeKind::IrqAffinity { irq, name } => {
            Target::IrqAffinity(IrqAffinity { irq: *irq, name: name.clone() })
        }
        ChangeKind::PacketSteering { path } => {
            Target::PacketSteering(PacketSteering { path: path.clone(), namespace: namespace() })
        }
        ChangeKind::Ring { interface, side } => Target::Ring(Ring {
            interface: interface.clone(),
            side: if side == "tx" { RingSide::Transmit } else { RingSide::Receive },
            namespace: namespace(),
        }),
        ChangeKind::Channels { interface } => {
            Target::Channels(Channels { interface: interface.clone(), namespace: namespace() })
        }
        ChangeKind::Qdisc { interface } => {
            Target::Qdisc(Qdisc { interface: interface.clone(), namespace: namespace() })
        }
        ChangeKind::Mount { mount_point, .. } => Target::Mount(Mount { mount_point: mount_point.clone() }),
        ChangeKind::File { path, .. } => file(path),
        ChangeKind::ModuleParameter { name } => {
            let (module, parameter) = name.split_once('.')?;
            let (module, parameter) = (module.to_owned(), parameter.to_owned());
            Target::ModuleParameter(ModuleParameter { module, parameter })
        }
        ChangeKind::Module { name } => Target::Module(Module { name: name.clone() }),
        ChangeKind::BlockQueue { device, attribute } => {
            Target::BlockQueue(BlockQueue { device: device.clone(), attribute: attribute.clone() })
        }
        ChangeKind::Unit { name, .. } => file(&lower_files::drop_in(name)),
        ChangeKind::SqlVariable { server, name, .. } => Target::SqlVariable(SqlVariable {
            server: server.clone(),
            name: name.clone(),
            access: Access::default(),
        }),
        ChangeKind::SqlStatement { server, up, down, probe, until_no_rows } => {
            let [server, up, down, probe] = [server, up, down, probe].map(Clone::clone);
            let (until_no_rows, access) = (*until_no_rows, Access::default());
            Target::SqlStatement(SqlStatement { server, up, down, probe, until_no_rows, access })
        }
        ChangeKind::Elsewhere { .. } => return None,
    })
}

pub(super) fn file(path: &str) -> Target {
    Target::File(File { path: path.to_owned() })
}

pub(super) fn edit_step(path: &str, edits: Vec<Edit>, phase: Phase) -> Step {
    Step { target: file(path), action: Action::Edit { edits }, phase }
}

/// The steps of one wish.
///
/// # Errors
/// The claim of an owner, or why narrows cannot make the change.
pub(super) fn lower(ground: &Ground<'_>, mut wish: Wish) -> Result<Draft, Box<(Wish, Claim)>> {
    match steps(ground, &mut wish) {
        Ok((steps, reloads)) => Ok(Draft { wish, steps, reloads }),
        Err(claim) => Err(Box::new((wish, claim))),
    }
}

pub(super) type Lowered = Result<(Vec<Step>, Vec<Activation>), Claim>;

fn steps(ground: &Ground<'_>, wish: &mut Wish) -> Lowered {
    let value = wish.change.target.value.clone();
    let what = wish.change.what.clone();
    let Some(mut target) = target_of(&what, ground.options.namespace.as_ref()) else {
        return Err(ChangeError::new("make this change", "only a person can").into());
    };
    let databases = &ground.options.databases;
    match &mut target {
        Target::SqlVariable(of) => of.access = databases.access(&of.server),
        Target::SqlStatement(of) => of.access = databases.access(&of.server),
        _ => {}
    }
    match &what {
        ChangeKind::Sysctl { key } => sysctl(ground, wish, target, key, &value),
        ChangeKind::IrqAffinity { irq, .. } => irq_affinity(ground, target, *irq, value),
        ChangeKind::PacketSteering { .. } | ChangeKind::Qdisc { .. } => {
            now_and_at_boot(ground, wish, target, value, None)
        }
        ChangeKind::Ring { interface, side } => {
            let keys = if side == "tx" { ["TxBufferSize"] } else { ["RxBufferSize"] };
            let place = interface_place(ground, interface, "ring", &keys, &value)?;
            now_and_at_boot(ground, wish, target, value, place)
        }
        ChangeKind::Channels { interface } => {
            let place = interface_place(ground, interface, "channels", &["CombinedChannels"], &value)?;
            now_and_at_boot(ground, wish, target, value, place)
        }
        ChangeKind::BlockQueue { device, attribute } => {
            ground.owners.block_queue(device, attribute)?;
            now_and_at_boot(ground, wish, target, value, None)
        }
        ChangeKind::ModuleParameter { .. } => module_parameter(ground, target, value),
        ChangeKind::Module { name } => {
            let mut steps = vec![Step { target, action: Action::Load, phase: Phase::Now }];
            if !loads_at_boot(ground.host, name) {
                let line = Edit::Line { line: name.clone(), present: true };
                steps.push(edit_step("/etc/modules-load.d/90-narrows.conf", vec![line], Phase::Lasting));
            }
            Ok((steps, vec![]))
        }
        ChangeKind::Mount { mount_point, set, remove } => {
            mount(ground, wish, target, mount_point, set, remove)
        }
        ChangeKind::File { path, edits, .. } => lower_files::file(ground, path, edits),
        ChangeKind::Unit { name, settings } => lower_files::unit(ground, name, settings),
        ChangeKind::SqlVariable { file, group, fixed, .. } => {
            lower_sql::variable(ground, wish, target, &lower_sql::Keeping { file, group, fixed: *fixed })
        }
        ChangeKind::SqlStatement { .. } => {
            Ok((vec![Step { target, action: Action::Run, phase: Phase::Now }], vec![]))
        }
        ChangeKind::Elsewhere { .. } => Err(ChangeError::new("make this change", "only a person can").into()),
    }
}

pub(super) fn set_now(target: Target, value: String) -> Step {
    Step { target, action: Action::Set { value }, phase: Phase::Now }
}

/// A kernel parameter is written now. It also gets a line in a file where the change names one: a value that goes back
/// to the kernel's own needs none once the lines that set another are gone.
fn sysctl(ground: &Ground<'_>, wish: &mut Wish, target: Target, key: &str, value: &str) -> Lowered {
    let foreign = matches!(&target, Target::Sysctl(sysctl) if sysctl.namespace.is_some());
    let mut steps = vec![set_now(target, value.to_owned())];
    if foreign {
        RUNTIME_HOLDS_IT.clone_into(&mut wish.change.persistence);
        return Ok((steps, vec![]));
    }
    let place = ground.owners.sysctl(key, value)?;
    if wish.change.persistence.starts_with('/') {
        if let Some((path, _)) = place.first() {
            path.clone_into(&mut wish.change.persistence);
        }
        steps.extend(place.into_iter().map(|(path, edits)| edit_step(&path, edits, Phase::Lasting)));
    }
    Ok((steps, vec![]))
}

/// An interrupt's CPUs, with the line that keeps irqbalance from moving it back ten seconds later.
fn irq_affinity(ground: &Ground<'_>, target: Target, irq: u32, value: String) -> Lowered {
    ground.owners.irq_affinity()?;
    let mut steps = vec![set_now(target.clone(), value.clone())];
    let mut reloads = vec![];
    if let Some(coupling) = ground.owners.irqbalance(irq) {
        let bytes = read_file(ground.host, &coupling.path)?.unwrap_or_default();
        if let Some(claim) = claim_of_managed_file(&coupling.path, &bytes) {
            return Err(claim);
        }
        let path = ground.states.resolve(&coupling.path)?;
        steps.push(edit_step(&path, vec![coupling.edit], Phase::Now));
        reloads.push(super::activation::irqbalance());
    }
    steps.extend(boot::steps(ground, &target, &Action::Set { value })?);
    Ok((steps, reloads))
}

/// Where an interface's setting is kept other than by the boot script. The host's programs see no interface of another
/// network namespace.
fn interface_place(
    ground: &Ground<'_>,
    interface: &str,
    option: &str,
    keys: &[&str],
    value: &str,
) -> Result<Option<Place>, Claim> {
    match ground.options.namespace {
        Some(_) => Ok(None),
        None => ground.owners.interface(interface, option, keys, value),
    }
}

/// What lies in no file of its own: written now, and by the boot script, unless another file is the place.
fn now_and_at_boot(
    ground: &Ground<'_>,
    wish: &mut Wish,
    target: Target,
    value: String,
    place: Option<Place>,
) -> Lowered {
    let mut steps = vec![set_now(target.clone(), value.clone())];
    if ground.options.namespace.is_some() && !matches!(target, Target::BlockQueue(_)) {
        RUNTIME_HOLDS_IT.clone_into(&mut wish.change.persistence);
        return Ok((steps, vec![]));
    }
    match place {
        Some(place) => {
            steps.extend(place.into_iter().map(|(path, edits)| edit_step(&path, edits, Phase::Lasting)));
        }
        None => steps.extend(boot::steps(ground, &target, &Action::Set { value })?),
    }
    Ok((steps, vec![]))
}

fn module_parameter(ground: &Ground<'_>, target: Target, value: String) -> Lowered {
    let Target::ModuleParameter(parameter) = &target else { return Ok((vec![], vec![])) };
    let place = module_parameter_place(ground.host, &parameter.module, &parameter.parameter, &value)?;
    let mut steps = vec![set_now(target, value)];
    steps.extend(place.into_iter().map(|(path, edits)| edit_step(&path, edits, Phase::Lasting)));
    Ok((steps, vec![]))
}

/// Options of a mount: at once where the file system takes them while it is mounted, and in fstab(5).
fn mount(
    ground: &Ground<'_>,
    wish: &mut Wish,
    target: Target,
    mount_point: &str,
    set: &[String],
    remove: &[String],
) -> Lowered {
    ground.mounts.fstab(mount_point)?;
    let mut steps = vec![];
    let now = ground.states.read(&target)?;
    if now != State::Absent && Mount::takes_a_remount(&now) {
        let action = Action::Options { set: set.to_vec(), remove: remove.to_vec() };
        steps.push(Step { target, action, phase: Phase::Now });
    } else {
        wish.change.restart = format!(
            "umount {mount_point} and mount {mount_point}: this file system takes options only when it is mounted"
        );
    }
    let edits = lower_files::fstab_edits(mount_point, set, remove);
    steps.push(edit_step(&ground.states.resolve("/etc/fstab")?, edits, Phase::Lasting));
    Ok((steps, vec![]))
}
