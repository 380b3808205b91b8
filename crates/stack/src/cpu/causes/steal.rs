//! CPU time that the hypervisor withholds.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::cpu::shares::{self, percent};
use crate::{Cause, Evidence, Refutation, wording};

pub(super) static CAUSE: Cause = Cause {
    id: "cpu.steal",
    title: "The hypervisor runs something else instead",
    explains: &["cpu.steal-high", "cpu.saturated"],
    refutes: &[Refutation {
        symptom: "cpu.iowait-high",
        because: "stolen time is counted as steal, apart from iowait",
    }],
    document: include_str!("steal.md"),
    test,
};

/// From this share on, it is felt by every request.
const HIGH: f64 = 0.10;
/// Below this share it is the scheduling of any shared machine.
const NORMAL: f64 = 0.05;
/// The burstable family of Amazon EC2 ends at 2xlarge, which has so many CPUs.
const BURSTABLE_CPUS: f64 = 8.0;

/// What a firmware's product name says about CPU credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credits {
    /// A burstable instance whose mode is `standard` unless it was changed: credits may be used up.
    StandardByDefault,
    /// A burstable instance whose mode is `unlimited` unless it was changed: it is not throttled, it costs money.
    UnlimitedByDefault,
    /// No burstable instance of EC2: there are no credits to use up.
    None,
    /// The product is not known.
    Unknown,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let span = evidence.span(|reading| &reading.cpu)?;
    let total = shares::total(&span).ok_or_else(shares::no_ticks)?;
    let cpus = shares::count(span.last).ok_or_else(shares::no_ticks)?;
    let product = span.last.product.as_deref();
    let credits = credits(span.last.vendor.as_deref(), product, cpus);
    let withheld = number_text((total.steal * cpus * 10.0).round() / 10.0);
    let line = format!(
        "steal {} %: {withheld} of {} withheld; {}",
        number_text(percent(total.steal)),
        wording::cpus(cpus),
        credits_text(credits)
    );
    let outcome = match total.steal {
        steal if steal >= HIGH => Outcome::confirmed(Severity::Limiting, line)
            .lacks(missing(credits))
            .remedy(remedy(credits, total.steal)),
        steal if steal >= NORMAL => Outcome::consistent(Severity::Hygiene, line).lacks(missing(credits)),
        steal if steal > 0.0 => Outcome::ruled_out(format!("steal {} %", number_text(percent(steal)))),
        _ if span.last.total.steal == 0 => {
            Outcome::ruled_out("steal 0 % since boot (some hypervisors do not report it)")
        }
        _ => Outcome::ruled_out("steal 0 %"),
    };
    let mut seen = vec![Observation::new("/proc/stat", "cpu steal", percent(total.steal)).unit("%")];
    let cpus = shares::per_cpu(&span);
    let most = cpus.iter().max_by(|(_, a), (_, b)| a.steal.total_cmp(&b.steal));
    seen.extend(most.map(|(cpu, most)| {
        Observation::new("/proc/stat", format!("cpu{cpu} steal"), percent(most.steal)).unit("%")
    }));
    seen.extend(product.map(|name| Observation::new("/sys/class/dmi/id/product_name", "product", name)));
    Ok(outcome.seen_all(seen))
}

fn credits(vendor: Option<&str>, product: Option<&str>, cpus: f64) -> Credits {
    match (vendor, product) {
        (Some("Amazon EC2"), Some(_)) if cpus > BURSTABLE_CPUS => Credits::None,
        (Some("Amazon EC2"), Some(product)) => match product.split_once('.').map(|(family, _)| family) {
            Some("t2") => Credits::StandardByDefault,
            Some("t3" | "t3a" | "t4g") => Credits::UnlimitedByDefault,
            Some(_) => Credits::None,
            None => Credits::Unknown,
        },
        _ => Credits::Unknown,
    }
}

fn credits_text(credits: Credits) -> &'static str {
    match credits {
        Credits::StandardByDefault => "CPU credits may be used up",
        Credits::UnlimitedByDefault => "unlimited by default: credits do not throttle",
        Credits::None => "no burstable instance: not CPU credits",
        Credits::Unknown => "credits or neighbours cannot be told apart from inside",
    }
}

fn missing(credits: Credits) -> Missing {
    match credits {
        Credits::StandardByDefault | Credits::UnlimitedByDefault => Missing::new(
            "CPUCreditBalance and the credit mode",
            "read CPUCreditBalance and CPUSurplusCreditBalance in CloudWatch: only a balance of 0 in standard mode throttles",
        ),
        Credits::None | Credits::Unknown => Missing::new(
            "what else runs on the host machine",
            "ask the provider about overcommitment, and repeat this window at another hour",
        ),
    }
}

fn remedy(credits: Credits, steal: f64) -> Remedy {
    let (value, place) = match credits {
        Credits::StandardByDefault | Credits::UnlimitedByDefault => {
            ("less CPU use than the baseline, or a machine without credits", "the provider's console")
        }
        Credits::None | Credits::Unknown => {
            ("another host machine, or dedicated CPUs", "the provider or the hypervisor")
        }
    };
    let target =
        Derived::new(value, "steal ≥ 10 %").input("steal", format!("{:.1} %", steal * 100.0), "/proc/stat");
    let change = Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, target)
        .restarts("stop and start moves most cloud machines to another host machine")
        .risks("if it lasts less than five minutes, wait: neighbours come and go");
    Remedy::new("Have the withheld CPUs given back", "steal falls below 5 % at the same load").change(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_burstable_instance_has_more_than_eight_cpus() {
        let amazon = Some("Amazon EC2");
        assert_eq!(credits(amazon, Some("t2.large"), 2.0), Credits::StandardByDefault);
        assert_eq!(credits(amazon, Some("t3.2xlarge"), 8.0), Credits::UnlimitedByDefault);
        assert_eq!(credits(amazon, Some("m5.4xlarge"), 16.0), Credits::None);
        assert_eq!(credits(amazon, Some("t3.large"), 16.0), Credits::None);
        assert_eq!(credits(Some("QEMU"), Some("Standard PC"), 2.0), Credits::Unknown);
    }
}
