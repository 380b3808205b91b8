//! The table of points for a query.

use database::{Connection, DatabaseError};

use super::area::{Box, boxes};
use super::formula::unit;
use super::{Coordinates, Nearby};
use crate::derived::{DerivedColumn, Origin, fresh_name, literal, name, sql, word};
use crate::typed_table::{
    Declined, Extra, Meaning, Rewriter, Typed, Typing, ValueOf, empty, over_m, upkeep, value_of,
};
use crate::{Advice, Dialect, Schema};

/// What a coordinate looks like; `CAST` makes 0 of anything else.
const NUMBER: &str = "^[[:space:]]*[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?[[:space:]]*$";

impl Coordinates {
    /// Asks a server. It reads every coordinate.
    ///
    /// # Errors
    /// When the server refuses, or does not answer before the connection's deadline.
    pub fn read(connection: &mut Connection, nearby: &Nearby) -> Result<Self, DatabaseError> {
        let found = &nearby.found;
        let (table, link) = (name(&found.attributes), name(found.pair.link));
        let [latitude, longitude] = nearby.keys.each_ref().map(|key| literal(key));
        let bad = |row: &str, limit: u32| {
            format!("({row}.meta_value NOT REGEXP '{NUMBER}' OR ABS({row}.meta_value + 0) > {limit})")
        };
        let number = |connection: &mut Connection, asked: &str| -> Result<u64, DatabaseError> {
            Ok(connection.query(asked)?.first().and_then(|value| value.parse().ok()).unwrap_or(0))
        };
        let both = format!(
            "FROM {table} a INNER JOIN {table} b ON b.{link} = a.{link} AND b.meta_key = {longitude} WHERE a.meta_key = {latitude}"
        );
        let entities = number(connection, &format!("SELECT COUNT(DISTINCT a.{link}) {both}"))?;
        let invalid = number(
            connection,
            &format!("SELECT COUNT(DISTINCT a.{link}) {both} AND ({} OR {})", bad("a", 90), bad("b", 180)),
        )?;
        let several = number(
            connection,
            &format!(
                "SELECT COUNT(*) FROM (SELECT {link} FROM {table} WHERE meta_key IN ({latitude}, {longitude}) \
                 GROUP BY {link}, meta_key HAVING COUNT(*) > 1) several"
            ),
        )?;
        Ok(Self { entities, invalid, several })
    }
}

pub(super) fn build(
    nearby: &Nearby,
    class: &str,
    schema: &Schema,
    coordinates: Option<Coordinates>,
) -> Result<Advice, Declined> {
    if let Some(Coordinates { several: 1.., .. }) = coordinates {
        return Err(Declined("an entity has a coordinate more than once".to_owned()));
    }
    let Some(areas) = boxes(nearby.formula.centre, nearby.reach / nearby.formula.radius) else {
        return Err(Declined("the distance reaches over a quarter of the globe".to_owned()));
    };
    let mut typing = Typing { table: empty(&nearby.found), meanings: Vec::new() };
    points(&mut typing, nearby, schema.dialect)?;
    typing.own(&nearby.found, schema);
    let features: Vec<String> = typing.table.columns.iter().map(|column| format!("{column:?}")).collect();
    typing.table.name =
        fresh_name(&format!("{}_points_{}", nearby.found.entities.0, word(&nearby.keys[0])), &features);
    let mut rewrites =
        Rewriter { found: &nearby.found, typing: &typing, extra: extra(&typing, nearby, &areas) }
            .rewrites(class, true);
    let differs = differs(coordinates);
    for rewrite in &mut rewrites {
        rewrite.differs.extend(differs.clone());
    }
    Ok(Advice {
        id: "query.distance-by-formula".to_owned(),
        title: format!(
            "Keep coordinates as points in `{}`, and measure only those in a box",
            typing.table.name
        ),
        why: why(nearby, coordinates, areas.len()),
        classes: vec![class.to_owned()],
        up: typing.table.steps(),
        rewrites,
        cautions: cautions(&typing, schema.dialect),
        trial: None,
    })
}

/// Columns of both coordinates, as the query reads them, and of the point that they make.
fn points(typing: &mut Typing, nearby: &Nearby, dialect: Dialect) -> Result<(), Declined> {
    let [latitude, longitude] = nearby.keys.each_ref().map(|key| literal(key));
    let table = &mut typing.table;
    let mut computed = Vec::new();
    for (expression, key, column) in [
        (&nearby.formula.latitude, &latitude, "latitude"),
        (&nearby.formula.longitude, &longitude, "longitude"),
    ] {
        let kind = match value_of(expression, &[]) {
            Some(ValueOf { kind: Typed::Cast(kind), .. }) => kind,
            // As a number, text is a double.
            Some(_) => "double".to_owned(),
            None => return Err(Declined(format!("`{expression}` is no coordinate that a column holds"))),
        };
        let value = sql(&over_m(expression));
        let value = if kind == "double" { format!("{value} + 0") } else { value };
        let source = table.first(key, &value);
        table.columns.push(DerivedColumn {
            name: column.to_owned(),
            definition: format!("{kind} NOT NULL"),
            source: Origin::Computed(source.clone()),
        });
        let meaning = Meaning::Value(std::boxed::Box::new(ValueOf {
            expression: expression.clone(),
            kind: Typed::Double,
        }));
        typing.meanings.push((column.to_owned(), meaning));
        computed.push(source);
    }
    let [north, east] = computed.as_slice() else { return Ok(()) };
    let srid = if !dialect.mariadb && dialect.version.0 >= 8 { " SRID 0" } else { "" };
    table.columns.push(DerivedColumn {
        name: "place".to_owned(),
        definition: format!("point NOT NULL{srid}"),
        source: Origin::Computed(format!("POINT({east}, {north})")),
    });
    table.indexes.push("SPATIAL KEY by_place (place)".to_owned());
    let valid = |key: &str, expression: &sqlparser::ast::Expr, limit: u32| {
        let value = sql(&over_m(expression));
        table.first(key, &format!("m.meta_value REGEXP '{NUMBER}' AND ABS({value}) <= {limit}"))
    };
    table.condition = Some(format!(
        "{} AND {}",
        valid(&latitude, &nearby.formula.latitude, 90),
        valid(&longitude, &nearby.formula.longitude, 180)
    ));
    Ok(())
}

/// The boxes as conditions; two of them as a union, for an index answers one box at a time. The index is forced, for the
/// optimizer takes a box for far larger than it is where the whole count of rows is asked for. The boxes have no place in
/// common; besides, MariaDB 10.11 fails with error 1207 where it has to drop duplicates of two spatial scans.
fn extra(typing: &Typing, nearby: &Nearby, areas: &[Box]) -> Extra {
    let (typed, id) = (nearby.found.alias(), name(typing.table.id()));
    let hint = " FORCE INDEX (by_place)".to_owned();
    if let [area] = areas {
        return Extra { conditions: vec![inside(&format!("{typed}.place"), *area)], hint, join: None };
    }
    let table = name(&typing.table.name);
    let sides =
        areas.iter().map(|area| format!("SELECT {id} FROM {table}{hint} WHERE {}", inside("place", *area)));
    let sides = sides.collect::<Vec<_>>().join(" UNION ALL ");
    let join = Some(format!("INNER JOIN ({sides}) near ON near.{id} = {typed}.{id}"));
    Extra { conditions: Vec::new(), hint: String::new(), join }
}

fn inside(place: &str, (west, south, east, north): Box) -> String {
    let corners = [(west, south), (east, south), (east, north), (west, north), (west, south)];
    let corners = corners.map(|(x, y)| format!("{x:.7} {y:.7}")).join(", ");
    format!("MBRIntersects(ST_GeomFromText('POLYGON(({corners}))'), {place})")
}

fn differs(coordinates: Option<Coordinates>) -> Option<String> {
    match coordinates {
        Some(Coordinates { invalid: 0, .. }) => None,
        Some(Coordinates { invalid, .. }) => Some(format!(
            "{invalid} entities whose coordinates are no numbers, or lie off the globe, have no point: the old query takes what \
             is no number for 0"
        )),
        None => Some("entities whose coordinates are no numbers, or lie off the globe, have no point; how many is not known".to_owned()),
    }
}

fn why(nearby: &Nearby, coordinates: Option<Coordinates>, boxes: usize) -> Vec<String> {
    let (latitude, longitude) = nearby.formula.centre;
    let (radius, reach) = (nearby.formula.radius, nearby.reach);
    let measured = match unit(radius) {
        Some(("kilometres", _)) => format!("{reach} kilometres"),
        Some((unit, kilometres)) => format!("{reach} {unit}, which are {:.1} km", reach * kilometres),
        None => {
            format!("{reach}, on a sphere of radius {radius}, which is not the Earth's in any usual unit")
        }
    };
    let mut why = vec![
        "no index serves a formula: it is computed for every row that has coordinates, from text".to_owned(),
        format!("the radius {radius:.0} makes the distance one of {measured} around {latitude}, {longitude}"),
    ];
    if boxes > 1 {
        why.push("the circle crosses the antimeridian, so that it lies in two boxes".to_owned());
    }
    if let Some(Coordinates { entities, invalid, .. }) = coordinates {
        why.push(format!("{entities} entities have coordinates, {invalid} of them invalid ones"));
    }
    why
}

fn cautions(typing: &Typing, dialect: Dialect) -> Vec<String> {
    let mut cautions = upkeep(&typing.table);
    cautions.push(
        "the application computes the box for each centre: half as high as the angle δ = distance / radius, half as wide as \
         asin(sin δ / cos latitude), all meridians where it reaches a pole, two boxes where it crosses ±180°"
            .to_owned(),
    );
    cautions.push("sorting by distance still sorts what lies in the box".to_owned());
    if !dialect.mariadb && dialect.version.0 >= 8 {
        cautions.push(
            "points are in SRID 0, plain degrees, because boxes of SRID 4326 are bounded by great circles; there POINT() takes \
             longitude first and ST_GeomFromText() latitude"
                .to_owned(),
        );
    }
    cautions
}
