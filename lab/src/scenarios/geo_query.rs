//! Tours around a place, by a formula over text.

use crate::faults::Result;
use crate::parts::database::Database;
use crate::parts::database::question_course::{self, QuestionCourse};
use crate::parts::database::wordpress::{self, PARIS};
use crate::scenario::{Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "geo-query",
    title: "tours within 25 miles among 200,000, by a formula over text: points with a spatial index instead",
    world: World::Namespaces,
    quick: false,
    run,
};

const TOURS: u32 = 200_000;

fn run(score: &mut Score) -> Result<()> {
    let database = Database::boot(question_course::LOGGED)?;
    wordpress::tours(&database, TOURS)?;
    wordpress::places(&database)?;
    let (statement, healthy) = (wordpress::tours_around(PARIS), wordpress::places_around(PARIS));
    let course = QuestionCourse {
        statement: &statement,
        tables: &["wp_posts", "wp_postmeta"],
        plan_names: &["filesort"],
        advice: "schema.distance-over-text",
        healthy: &healthy,
    };
    course.look_at_twin(score, &database)?;
    wordpress::within(&database, "DROP TABLE tour_places")?;
    course.take(score, &database)
}
