use super::*;

fn chosen(files: &[(&str, &str)]) -> Selection {
    let candidate = |(path, code): &(&str, &str)| Candidate {
        path: (*path).to_owned(),
        file: conf::php_file(format!("<?php {code}").as_bytes()),
        eligible: path.starts_with("vendor/"),
    };
    select(&files.iter().map(candidate).collect::<Vec<_>>())
}

fn left(selection: &Selection, reason: &LeftOut) -> Vec<String> {
    selection.left_out.get(reason).into_iter().flatten().map(|(path, _)| path.clone()).collect()
}

#[test]
fn parents_come_first_whatever_their_files_are_called() {
    let selection = chosen(&[
        ("vendor/a.php", "namespace N; class Child extends Middle implements \\Countable { use Z; }"),
        ("vendor/b.php", "namespace N; class Middle extends Top {}"),
        ("vendor/c.php", "namespace N; abstract class Top extends \\Exception {}"),
        ("vendor/z.php", "namespace N; trait Z {}"),
    ]);
    assert_eq!(selection.files, ["vendor/c.php", "vendor/b.php", "vendor/z.php", "vendor/a.php"]);
    assert_eq!((selection.classes, selection.left_out.len()), (4, 0));
}

#[test]
fn what_lacks_a_parent_is_left_out_with_all_that_builds_on_it() {
    let selection = chosen(&[
        ("vendor/a.php", "class A extends PHPUnit\\TestCase {}"),
        ("vendor/b.php", "class B extends A {}"),
        ("vendor/c.php", "class C { function m() { return new class extends B {}; } }"),
        ("vendor/d.php", "class D {}"),
    ]);
    assert_eq!(selection.files, ["vendor/d.php"]);
    assert_eq!(left(&selection, &LeftOut::ParentMissing), ["vendor/a.php", "vendor/b.php", "vendor/c.php"]);
}

#[test]
fn a_type_that_differs_from_the_parents_needs_its_classes() {
    let parent = ("vendor/p.php", "interface P { function make(): Thing; function same(Absent $a); }");
    let thing = ("vendor/t.php", "class Thing {}");
    let child =
        ("vendor/c.php", "class C implements P { function make(): Absent {} function same(Absent $a) {} }");
    assert_eq!(left(&chosen(&[parent, thing, child]), &LeftOut::TypeMissing), ["vendor/c.php"]);
    let alike =
        ("vendor/c.php", "class C implements P { function make(): Thing {} function same(Absent $a) {} }");
    assert_eq!(chosen(&[parent, thing, alike]).files.len(), 3);
    let own = ("vendor/i.php", "class I implements IteratorAggregate { function getIterator(): Absent {} }");
    assert_eq!(left(&chosen(&[own]), &LeftOut::TypeMissing), ["vendor/i.php"]);
}

#[test]
fn files_that_do_more_than_declare_classes_are_left_out() {
    let selection = chosen(&[
        ("vendor/f.php", "function f() {} class F {}"),
        ("vendor/s.php", "class S {} class_alias('S', 'T');"),
        ("vendor/c.php", "if (!class_exists('C')) { class C {} }"),
        ("vendor/n.php", "return [];"),
        ("vendor/x.php", "class X {"),
    ]);
    assert_eq!(selection.files, Vec::<String>::new());
    assert_eq!(left(&selection, &LeftOut::FunctionsOrConstants), ["vendor/f.php"]);
    assert_eq!(left(&selection, &LeftOut::SideEffects), ["vendor/s.php"]);
    assert_eq!(left(&selection, &LeftOut::NoClass), ["vendor/c.php", "vendor/n.php"]);
}

#[test]
fn a_class_that_code_looks_for_must_not_exist_before_its_time() {
    let selection = chosen(&[
        ("vendor/g.php", "class Give {}"),
        ("vendor/h.php", "class Optional {}"),
        (
            "vendor/k.php",
            "class K { function m() { return class_exists('optional', false) || class_exists(Loaded::class); } }",
        ),
        ("vendor/l.php", "class Loaded {}"),
        ("wp-content/plugins/donate.php", "if (class_exists('\\\\Give')) { start(); }"),
    ]);
    assert_eq!(left(&selection, &LeftOut::LookedFor), ["vendor/g.php", "vendor/h.php"]);
    assert_eq!(selection.files, ["vendor/k.php", "vendor/l.php"]);
}

#[test]
fn a_class_in_two_files_is_taken_from_neither() {
    let selection = chosen(&[
        ("vendor/a.php", "class A {}"),
        ("vendor/old/a.php", "class a {}"),
        ("vendor/b.php", "class B {}"),
    ]);
    assert_eq!(left(&selection, &LeftOut::DeclaredTwice), ["vendor/a.php", "vendor/old/a.php"]);
    assert_eq!(selection.files, ["vendor/b.php"]);
}

#[test]
fn classes_that_extend_each_other_end() {
    let selection =
        chosen(&[("vendor/a.php", "class A extends B {}"), ("vendor/b.php", "class B extends A {}")]);
    assert_eq!(selection.files, Vec::<String>::new());
}
