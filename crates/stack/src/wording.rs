//! How numbers are put into sentences.

use model::observation::number_text;

/// A number with the word for what it counts: `1 CPU`, `4 CPUs`, `0.5 CPUs`.
pub(crate) fn counted(number: f64, one: &str, many: &str) -> String {
    let text = number_text(number);
    let word = if text == "1" { one } else { many };
    format!("{text} {word}")
}

/// So many CPUs.
pub(crate) fn cpus(count: f64) -> String {
    counted(count, "CPU", "CPUs")
}

/// So many CPUs, of a list of them.
#[expect(clippy::cast_precision_loss, reason = "a count of CPUs")]
pub(crate) fn cpus_in<T>(list: &[T]) -> String {
    cpus(list.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_all_else_is_many() {
        let shown: Vec<_> = [0.0, 0.5, 1.0, 1.2, 64.0].map(cpus).to_vec();
        assert_eq!(shown, ["0 CPUs", "0.5 CPUs", "1 CPU", "1.2 CPUs", "64 CPUs"]);
        assert_eq!(cpus_in(&[7]), "1 CPU");
    }
}
