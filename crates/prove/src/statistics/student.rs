//! How much wider few samples make an interval.

/// The 97.5th percentile of Student's t for 1 to 30 degrees of freedom (any printed table).
const TABLE: [f64; 30] = [
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010, 2.1788, 2.1604,
    2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555,
    2.0518, 2.0484, 2.0452, 2.0423,
];
/// The 97.5th percentile of the normal distribution.
const NORMAL: f64 = 1.959_964;

/// The 97.5th percentile of Student's t; beyond the table by its first two terms in 1/ν (Abramowitz & Stegun 26.7.5).
#[expect(clippy::cast_precision_loss, reason = "degrees of freedom")]
pub(super) fn t_97_5(degrees: usize) -> f64 {
    match degrees.checked_sub(1).map(|index| TABLE.get(index)) {
        None => f64::INFINITY,
        Some(Some(t)) => *t,
        Some(None) => {
            let (z, nu) = (NORMAL, degrees as f64);
            z + (z.powi(3) + z) / (4.0 * nu)
                + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * nu * nu)
        }
    }
}

/// The share of a normal distribution above `z` ≥ 0 (Abramowitz & Stegun 26.2.17; wrong by less than 7.5·10⁻⁸).
pub(super) fn normal_above(z: f64) -> f64 {
    if z.is_infinite() {
        return 0.0;
    }
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let polynomial = [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_530]
        .into_iter()
        .fold(0.0, |sum, coefficient| (sum + coefficient) * t);
    (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * polynomial
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_tables() {
        for (degrees, expected) in [(1, 12.7062), (5, 2.5706), (30, 2.0423), (40, 2.0211), (120, 1.9799)] {
            assert!((t_97_5(degrees) - expected).abs() < 1e-3, "{degrees}: {}", t_97_5(degrees));
        }
        assert_eq!(t_97_5(0), f64::INFINITY);
    }

    #[test]
    fn tails_are_those_of_the_tables() {
        for (z, expected) in [(0.0, 0.5), (1.0, 0.158_655_3), (1.959_964, 0.025), (3.0, 0.001_349_9)] {
            assert!((normal_above(z) - expected).abs() < 1e-6, "{z}: {}", normal_above(z));
        }
        assert!(normal_above(f64::INFINITY) == 0.0);
    }
}
