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
/// A tour comes, nearer than any other.
const CHANGE: &str = "INSERT INTO wp_posts (ID, post_date, post_content, post_title, post_excerpt, to_ping, pinged, \
                      post_content_filtered, post_type) VALUES (900000, '2030-01-01', '', 'Tour', '', '', '', '', \
                      'unitravel_tour'); INSERT INTO wp_postmeta (post_id, meta_key, meta_value) VALUES \
                      (900000, '_tour_latitude', '48.856700'), (900000, '_tour_longitude', '2.352300')";
const CHANGE_BACK: &str =
    "DELETE FROM wp_postmeta WHERE post_id = 900000; DELETE FROM wp_posts WHERE ID = 900000";

fn run(score: &mut Score) -> Result<()> {
    let database = Database::boot(question_course::LOGGED)?;
    wordpress::tours(&database, TOURS)?;
    wordpress::places(&database)?;
    let (statement, healthy) = (wordpress::tours_around(PARIS), wordpress::places_around(PARIS));
    let course = QuestionCourse {
        statement: &statement,
        tables: &["wp_posts", "wp_postmeta"],
        plan_names: &["sort by", "temporary table"],
        advice: "query.distance-by-formula",
        change: CHANGE,
        change_back: CHANGE_BACK,
        healthy: &healthy,
    };
    course.look_at_twin(score, &database)?;
    wordpress::within(&database, "DROP TABLE tour_places")?;
    course.take(score, &database)
}
