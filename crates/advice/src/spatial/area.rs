//! Boxes of longitude and latitude around a circle on the sphere.

/// A box in degrees: west, south, east, north.
pub(super) type Box = (f64, f64, f64, f64);

/// By how much boxes are larger than they need be, in degrees: the formulas' own rounding, which `ACOS` near 1 makes worst.
const PAD: f64 = 2e-6;

/// Boxes that hold every place within an angle (in radians) of a centre (latitude and longitude in degrees): one, or two on
/// either side of the antimeridian. `None` where the circle is most of the sphere.
///
/// The half-width is `asin(sin δ / cos φ)`, which is more than `δ / cos φ`: a meridian touches the circle poleward of its
/// centre. A circle over a pole touches all meridians.
pub(super) fn boxes(centre: (f64, f64), angle: f64) -> Option<Vec<Box>> {
    let (latitude, longitude) = (centre.0, wrapped(centre.1));
    if !angle.is_finite() || angle >= std::f64::consts::FRAC_PI_2 {
        return None;
    }
    let height = angle.max(0.0).to_degrees() + PAD;
    let (south, north) = (latitude - height, latitude + height);
    let ratio = height.to_radians().sin() / latitude.to_radians().cos();
    if south <= -90.0 || north >= 90.0 || ratio >= 1.0 {
        return Some(vec![(-180.0 - PAD, south.max(-90.0 - PAD), 180.0 + PAD, north.min(90.0 + PAD))]);
    }
    let width = ratio.asin().to_degrees() + PAD;
    let (west, east) = (longitude - width, longitude + width);
    Some(if west < -180.0 {
        vec![(west + 360.0, south, 180.0 + PAD, north), (-180.0 - PAD, south, east, north)]
    } else if east > 180.0 {
        vec![(west, south, 180.0 + PAD, north), (-180.0 - PAD, south, east - 360.0, north)]
    } else {
        vec![(west, south, east, north)]
    })
}

fn wrapped(longitude: f64) -> f64 {
    (longitude + 180.0).rem_euclid(360.0) - 180.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::formula::angle;
    use super::*;

    fn within((west, south, east, north): Box, (latitude, longitude): (f64, f64)) -> bool {
        (west..=east).contains(&longitude) && (south..=north).contains(&latitude)
    }

    #[test]
    fn a_small_circle_at_the_equator_is_as_wide_as_high() {
        let [one] = boxes((0.0, 0.0), 25.0 / 6371.0).unwrap()[..] else { panic!("one box") };
        assert!((one.2 - 25.0 / 111.195).abs() < 1e-4 && (one.3 - one.2).abs() < 1e-5, "{one:?}");
    }

    #[test]
    fn a_circle_over_the_antimeridian_has_two_boxes_and_one_over_a_pole_all_meridians() {
        assert_eq!(boxes((10.0, 179.9), 0.01).unwrap().len(), 2);
        assert_eq!(boxes((10.0, -179.9), 0.01).unwrap().len(), 2);
        let [pole] = boxes((89.9, 20.0), 0.01).unwrap()[..] else { panic!("one box") };
        assert!(pole.0 <= -180.0 && pole.2 >= 180.0 && pole.3 >= 90.0);
        assert_eq!(boxes((0.0, 0.0), 2.0), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn every_place_of_the_circle_lies_in_a_box(
            latitude in -90.0_f64..=90.0, longitude in -360.0_f64..=360.0, reach in prop_oneof![0.0_f64..0.02, 0.0_f64..1.57],
            bearing in 0.0_f64..std::f64::consts::TAU, part in 0.0_f64..=1.0,
        ) {
            let distance = reach * part.sqrt();
            let (from, start) = (latitude.to_radians(), longitude.to_radians());
            let to = (from.sin() * distance.cos() + from.cos() * distance.sin() * bearing.cos()).clamp(-1.0, 1.0).asin();
            let turn = (bearing.sin() * distance.sin() * from.cos()).atan2(distance.cos() - from.sin() * to.sin());
            let place = (to.to_degrees(), wrapped((start + turn).to_degrees()));
            prop_assume!(angle((latitude, longitude), place) <= reach);
            let boxes = boxes((latitude, longitude), reach).unwrap();
            prop_assert!(boxes.into_iter().any(|one| within(one, place)), "{place:?}");
        }
    }
}
