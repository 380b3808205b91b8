//! Great-circle formulas, recognised by what they compute.
//!
//! There are many ways to write the distance on a sphere: by `ACOS`, by `ASIN` or `ATAN2` of the haversine, in degrees times
//! 69. So the expression is evaluated at a few places and compared with the angle between them and a centre, which must be
//! two of its own constants; what remains constant is the sphere's radius.

use std::cell::RefCell;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator, Value,
};

use crate::derived::{column, replaced};

/// Places that tell latitude from longitude, in degrees.
const PROBES: [(f64, f64); 5] = [(10.5, 20.25), (-33.1, 151.2), (51.7, -0.3), (5.0, -77.7), (-72.4, 99.9)];
/// How far the radius may vary over the places, in proportion.
const SAME: f64 = 1e-6;
/// The most constants that are tried as the centre.
const CONSTANTS: usize = 24;

/// A distance on a sphere.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Formula {
    /// What stands for the latitude and the longitude of a row.
    pub(super) latitude: Expr,
    pub(super) longitude: Expr,
    /// The centre, in degrees.
    pub(super) centre: (f64, f64),
    /// The sphere's radius, in the unit of the distance.
    pub(super) radius: f64,
}

/// Recognises one. `leaf` says which expressions stand for a coordinate.
pub(super) fn recognise(expression: &Expr, leaf: &dyn Fn(&Expr) -> bool) -> Option<Formula> {
    let (leaves, constants) = contents(expression, leaf);
    let [one, other] = leaves.as_slice() else { return None };
    for (latitude, longitude) in [(one, other), (other, one)] {
        for centre_latitude in constants.iter().filter(|value| value.abs() <= 90.0) {
            for centre_longitude in constants.iter().filter(|value| value.abs() <= 720.0) {
                let centre = (*centre_latitude, *centre_longitude);
                if let Some(radius) = radius(expression, latitude, longitude, centre) {
                    let (latitude, longitude) = (latitude.clone(), longitude.clone());
                    return Some(Formula { latitude, longitude, centre, radius });
                }
            }
        }
    }
    None
}

/// Different coordinates, and constants with either sign.
fn contents(expression: &Expr, leaf: &dyn Fn(&Expr) -> bool) -> (Vec<Expr>, Vec<f64>) {
    let (leaves, constants) = (RefCell::new(Vec::new()), RefCell::new(Vec::<f64>::new()));
    replaced(expression, &|inner| {
        if leaf(inner) {
            let mut leaves = leaves.borrow_mut();
            if !leaves.contains(inner) {
                leaves.push(inner.clone());
            }
            // What lies within it is not looked at.
            return Some(Expr::value(Value::Null));
        }
        if let Expr::Value(_) = inner
            && let Some(number) = evaluate(inner, &|_| None)
        {
            let mut constants = constants.borrow_mut();
            for number in [number, -number] {
                if !constants.contains(&number) && constants.len() < CONSTANTS {
                    constants.push(number);
                }
            }
        }
        None
    });
    (leaves.into_inner(), constants.into_inner())
}

fn radius(expression: &Expr, latitude: &Expr, longitude: &Expr, centre: (f64, f64)) -> Option<f64> {
    let mut radius: Option<f64> = None;
    for place in PROBES {
        let value = |inner: &Expr| {
            if inner == latitude {
                Some(place.0)
            } else if inner == longitude {
                Some(place.1)
            } else {
                None
            }
        };
        let found = evaluate(expression, &value)? / angle(centre, place);
        if !found.is_finite()
            || found <= 0.0
            || radius.is_some_and(|radius| (radius / found - 1.0).abs() > SAME)
        {
            return None;
        }
        radius.get_or_insert(found);
    }
    radius
}

/// The angle between two places, in radians.
pub(super) fn angle(one: (f64, f64), other: (f64, f64)) -> f64 {
    let (a, b) = (one.0.to_radians(), other.0.to_radians());
    let (dlat, dlon) = ((b - a) / 2.0, ((other.1 - one.1) / 2.0).to_radians());
    let haversine = dlat.sin().powi(2) + a.cos() * b.cos() * dlon.sin().powi(2);
    2.0 * haversine.sqrt().min(1.0).asin()
}

/// The value of an expression without columns other than those that `known` knows.
pub(super) fn evaluate(expression: &Expr, known: &dyn Fn(&Expr) -> Option<f64>) -> Option<f64> {
    if let Some(value) = known(expression) {
        return Some(value);
    }
    match expression {
        Expr::Nested(inner) => evaluate(inner, known),
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.parse().ok(),
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.trim().parse().ok(),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => evaluate(expr, known).map(|value| -value),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => evaluate(expr, known),
        Expr::BinaryOp { left, op, right } => {
            let (left, right) = (evaluate(left, known)?, evaluate(right, known)?);
            match op {
                BinaryOperator::Plus => Some(left + right),
                BinaryOperator::Minus => Some(left - right),
                BinaryOperator::Multiply => Some(left * right),
                BinaryOperator::Divide => Some(left / right),
                _ => None,
            }
        }
        Expr::Function(function) => call(function, known),
        _ => None,
    }
}

fn call(function: &Function, known: &dyn Fn(&Expr) -> Option<f64>) -> Option<f64> {
    let name = function.name.0.last()?.as_ident()?.value.to_ascii_uppercase();
    let FunctionArguments::List(list) = &function.args else { return None };
    let mut values = Vec::new();
    for argument in &list.args {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) = argument else { return None };
        values.push(evaluate(argument, known)?);
    }
    match (name.as_str(), values.as_slice()) {
        ("PI", []) => Some(std::f64::consts::PI),
        ("ACOS", [x]) => Some(x.clamp(-1.0, 1.0).acos()),
        ("ASIN", [x]) => Some(x.clamp(-1.0, 1.0).asin()),
        ("ATAN", [x]) => Some(x.atan()),
        ("ATAN2" | "ATAN", [y, x]) => Some(y.atan2(*x)),
        ("SIN", [x]) => Some(x.sin()),
        ("COS", [x]) => Some(x.cos()),
        ("TAN", [x]) => Some(x.tan()),
        ("RADIANS", [x]) => Some(x.to_radians()),
        ("DEGREES", [x]) => Some(x.to_degrees()),
        ("SQRT", [x]) => Some(x.sqrt()),
        ("ABS", [x]) => Some(x.abs()),
        ("POW" | "POWER", [x, y]) => Some(x.powf(*y)),
        ("LEAST", [_, _, ..]) => values.into_iter().reduce(f64::min),
        ("GREATEST", [_, _, ..]) => values.into_iter().reduce(f64::max),
        ("ROUND" | "TRUNCATE", _) => None,
        _ => None,
    }
}

/// The unit of a distance, by the Earth's radius in it.
pub(super) fn unit(radius: f64) -> Option<(&'static str, f64)> {
    let units = [("miles", 1.609_344), ("kilometres", 1.0), ("metres", 0.001), ("nautical miles", 1.852)];
    units.into_iter().find(|(_, kilometres)| (6_300.0..6_420.0).contains(&(radius * kilometres)))
}

/// Whether an expression stands for a coordinate in an attribute: a column, cast or not.
pub(super) fn is_coordinate(expression: &Expr) -> bool {
    match expression {
        Expr::Cast { expr, .. } => column(expr).is_some(),
        Expr::BinaryOp { left, op: BinaryOperator::Plus, right } => {
            column(left).is_some() && evaluate(right, &|_| None) == Some(0.0)
        }
        Expr::Nested(_) => false,
        other => column(other).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dialect, Statement};

    fn formula(text: &str) -> Option<Formula> {
        let statement = Statement::parse(&format!("SELECT {text}"), &Dialect::default()).unwrap();
        let parts = crate::derived::Parts::of(&statement).unwrap();
        let sqlparser::ast::SelectItem::UnnamedExpr(expression) =
            parts.select().unwrap().projection[0].clone()
        else {
            panic!("an expression")
        };
        recognise(&expression, &is_coordinate)
    }

    #[test]
    fn the_usual_ways_to_write_a_distance_are_recognised_with_their_unit() {
        for (text, name, radius) in [
            (
                "( 3959 * acos( cos( radians(48.8566) ) * cos( radians( CAST(a.v AS DECIMAL(10,6)) ) ) * cos( radians( \
                 CAST(b.v AS DECIMAL(10,6)) ) - radians(2.3522) ) + sin( radians(48.8566) ) * sin( radians( CAST(a.v AS \
                 DECIMAL(10,6)) ) ) ) )",
                "miles",
                3959.0,
            ),
            (
                "6371 * 2 * ASIN(SQRT(POWER(SIN((48.8566 - a.v) * pi()/180 / 2), 2) + COS(48.8566 * pi()/180) * \
                 COS(a.v * pi()/180) * POWER(SIN((2.3522 - b.v) * pi()/180 / 2), 2)))",
                "kilometres",
                6371.0,
            ),
            (
                "12742000 * atan2(sqrt(pow(sin(radians(a.v-48.8566)/2),2)+cos(radians(48.8566))*cos(radians(a.v))*\
                 pow(sin(radians(b.v-2.3522)/2),2)), sqrt(1-(pow(sin(radians(a.v-48.8566)/2),2)+cos(radians(48.8566))*\
                 cos(radians(a.v))*pow(sin(radians(b.v-2.3522)/2),2))))",
                "metres",
                6_371_000.0,
            ),
            (
                "DEGREES(ACOS(LEAST(1.0, COS(RADIANS(48.8566))*COS(RADIANS(a.v+0))*COS(RADIANS(2.3522-(b.v+0)))+\
                 SIN(RADIANS(48.8566))*SIN(RADIANS(a.v+0)))))*111.195",
                "kilometres",
                111.195 * 180.0 / std::f64::consts::PI,
            ),
        ] {
            let found = formula(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(found.centre, (48.8566, 2.3522), "{text}");
            assert!((found.radius / radius - 1.0).abs() < 1e-6, "{} {text}", found.radius);
            assert_eq!(unit(found.radius).unwrap().0, name);
            assert!(
                found.latitude.to_string().contains("a.v") && found.longitude.to_string().contains("b.v")
            );
        }
    }

    #[test]
    fn a_centre_in_the_south_west_keeps_its_signs() {
        let found = formula(
            "6371 * acos(cos(radians(-33.45)) * cos(radians(a.v)) * cos(radians(b.v) - radians(-70.66)) + sin(radians(-33.45)) * \
             sin(radians(a.v)))",
        );
        assert_eq!(found.unwrap().centre, (-33.45, -70.66));
    }

    #[test]
    fn what_computes_something_else_is_not_recognised() {
        for text in [
            "SQRT(POW(a.v - 48.8, 2) + POW(b.v - 2.3, 2))",
            "6371 * acos(cos(radians(48.8)) * sin(radians(a.v)) * cos(radians(b.v) - radians(2.3)) + sin(radians(48.8)) * sin(radians(a.v)))",
            "a.v + b.v",
            "acos(a.v)",
            "ROUND(a.v + b.v)",
        ] {
            assert_eq!(formula(text), None, "{text}");
        }
    }
}
