//! irqbalance(1), which moves interrupts every ten seconds unless it is told to leave them alone.

use host::Host;
use model::Edit;

/// What keeps irqbalance from moving an interrupt back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CouplingWithIrqbalance {
    /// The file that its unit reads its arguments from.
    pub(crate) path: String,
    /// The edit that bans the interrupt.
    pub(crate) edit: Edit,
}

/// Debian's file, and that of Fedora and its relatives.
const FILES: [&str; 2] = ["/etc/default/irqbalance", "/etc/sysconfig/irqbalance"];

/// What must be done for one interrupt; nothing where the arguments of the running daemon ban it already.
pub(super) fn coupling(host: &dyn Host, arguments: &[String], irq: u32) -> Option<CouplingWithIrqbalance> {
    if bans(arguments, irq) {
        return None;
    }
    let path = FILES.into_iter().find(|path| host.read(path).is_ok()).unwrap_or("/etc/default/irqbalance");
    let edit = Edit::ShellVariable {
        name: "IRQBALANCE_ARGS".to_owned(),
        add_words: vec![format!("--banirq={irq}")],
    };
    Some(CouplingWithIrqbalance { path: path.to_owned(), edit })
}

/// `--banirq=N`, `--banirq N` and `-i N` (irqbalance(1)).
fn bans(arguments: &[String], irq: u32) -> bool {
    let number = irq.to_string();
    let pairs = arguments.iter().zip(arguments.iter().skip(1));
    arguments.iter().any(|argument| {
        argument.strip_prefix("--banirq=").or_else(|| argument.strip_prefix("-i")) == Some(number.as_str())
    }) || pairs
        .into_iter()
        .any(|(option, value)| (option == "-i" || option == "--banirq") && *value == number)
}
