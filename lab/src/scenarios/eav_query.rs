//! A page builder keeps what a page is about in JSON, and asks for it by `LIKE`.

use crate::faults::Result;
use crate::parts::database::question_course::{self, QuestionCourse};
use crate::parts::database::{Database, wordpress};
use crate::scenario::{Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "eav-query",
    title: "breaking news among 600,000 rows of wp_postmeta, by LIKE over JSON: a typed table instead",
    world: World::Namespaces,
    quick: false,
    run,
};

const POSTS: u32 = 100_000;
/// What a page that is made for it asks.
const HEALTHY: &str =
    "SELECT post_id FROM sys_editorial_flags WHERE is_breaking = 1 ORDER BY published_at DESC LIMIT 15";
/// News breaks.
const CHANGE: &str = "INSERT INTO wp_posts (ID, post_date, post_content, post_title, post_excerpt, to_ping, pinged, \
                      post_content_filtered) VALUES (900000, '2038-01-01', '', 'News', '', '', '', ''); \
                      INSERT INTO wp_postmeta (post_id, meta_key, meta_value) VALUES \
                      (900000, '_builder_layout_data', '{\"v\":1,\"layout_type\":\"breaking_news\"}')";
const CHANGE_BACK: &str =
    "DELETE FROM wp_postmeta WHERE post_id = 900000; DELETE FROM wp_posts WHERE ID = 900000";

fn run(score: &mut Score) -> Result<()> {
    let database = Database::boot(question_course::LOGGED)?;
    wordpress::newspaper(&database, POSTS)?;
    wordpress::flags(&database, POSTS)?;
    let statement = wordpress::breaking_news();
    let course = QuestionCourse {
        statement: &statement,
        tables: &["wp_posts", "wp_postmeta"],
        plan_names: &["sort by", "temporary table"],
        advice: "schema.attributes-as-rows",
        change: CHANGE,
        change_back: CHANGE_BACK,
        healthy: HEALTHY,
    };
    course.look_at_twin(score, &database)?;
    wordpress::within(&database, "DROP TABLE sys_editorial_flags")?;
    course.take(score, &database)
}
