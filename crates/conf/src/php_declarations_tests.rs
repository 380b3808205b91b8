use super::php_declarations::{PhpFile, PhpKind, PhpObstacle, php_file};

fn obstacles(text: &str) -> Vec<(PhpObstacle, usize)> {
    php_file(text.as_bytes()).obstacles
}

#[test]
fn names_are_resolved_by_namespace_and_imports() {
    let text = "<?php\ndeclare(strict_types=1);\nnamespace Shop\\Cart;\n\nuse Psr\\Log\\{LoggerInterface, NullLogger as Quiet};\n\
                use Other\\Base;\nuse function strlen;\n\n#[Attribute]\nfinal class Cart extends Base implements \\Countable, LoggerInterface, namespace\\Own\n{\n    \
                use Quiet\\Talk, Loud;\n    public function add(?Base\\Item $item, int|Quiet $n = 1): static {}\n}\n";
    let PhpFile { declarations, obstacles, .. } = php_file(text.as_bytes());
    assert_eq!(obstacles, []);
    let [class] = &declarations[..] else { panic!("{declarations:?}") };
    assert_eq!((class.name.as_str(), class.kind, class.line), ("Shop\\Cart\\Cart", PhpKind::Class, 9));
    let needs = [
        "Other\\Base",
        "Countable",
        "Psr\\Log\\LoggerInterface",
        "Shop\\Cart\\Own",
        "Psr\\Log\\NullLogger\\Talk",
        "Shop\\Cart\\Loud",
    ];
    assert_eq!(class.needs, needs);
    assert_eq!(class.methods[0].types, ["?other\\base\\item", "int|psr\\log\\nulllogger", "static"]);
    assert_eq!(class.methods[0].classes, ["Other\\Base\\Item", "Psr\\Log\\NullLogger"]);
}

#[test]
fn each_kind_is_found_in_namespaces_with_and_without_braces() {
    let text = "<?php namespace A { interface I extends J {} trait T {} } namespace { enum E: string implements \\A\\I { case X = 'x'; } }";
    let found: Vec<_> =
        php_file(text.as_bytes()).declarations.into_iter().map(|d| (d.name, d.kind, d.needs)).collect();
    let name = str::to_owned;
    assert_eq!(
        found,
        [
            (name("A\\I"), PhpKind::Interface, vec![name("A\\J")]),
            (name("A\\T"), PhpKind::Trait, vec![]),
            (name("E"), PhpKind::Enum, vec![name("A\\I")]),
        ]
    );
}

#[test]
fn what_a_file_does_besides_is_told() {
    for (text, wanted) in [
        ("<?php class A {}\nclass_alias('A', 'B');", PhpObstacle::SideEffect),
        ("<?php if (!class_exists('A')) {\nclass A {}\n}", PhpObstacle::SideEffect),
        ("<?php function f() {}\n class A {}", PhpObstacle::Function),
        ("<?php const X = 1; class A {}", PhpObstacle::Constant),
        ("<?php class A {} ?>\n<p>hello</p>\n", PhpObstacle::Text),
        ("<?php class A {} return new A;", PhpObstacle::SideEffect),
        ("<?php class A { public function (", PhpObstacle::NotUnderstood),
        ("<?php declare(ticks=1) { echo 1; } class A {}", PhpObstacle::SideEffect),
    ] {
        assert!(obstacles(text).iter().any(|(found, _)| *found == wanted), "{text}: {:?}", obstacles(text));
    }
    for clean in ["<?php\n/* words */\nclass A {}\n?>\n", "<?php declare(strict_types=1); ; class A {}", "\n"]
    {
        assert_eq!(obstacles(clean), [], "{clean}");
    }
}

#[test]
fn a_declaration_under_a_condition_or_in_a_function_is_conditional() {
    let text = "<?php class A { function m() { if (1) { class B extends C {} } } }";
    assert_eq!(obstacles(text), [(PhpObstacle::ConditionalDeclaration, 1)]);
    let text = "<?php namespace N; class A { function m() { return new class(1) extends P implements I { use T; }; } }";
    let file = php_file(text.as_bytes());
    let inner = file.declarations.iter().find(|d| d.kind == PhpKind::AnonymousClass).unwrap();
    assert_eq!(
        (inner.name.as_str(), &inner.needs[..]),
        ("", &["N\\P".to_owned(), "N\\I".to_owned(), "N\\T".to_owned()][..])
    );
    assert_eq!(file.obstacles, []);
}

#[test]
fn classes_that_are_looked_for_are_found_with_and_without_the_autoloader() {
    let text = "<?php namespace N; use X\\Y; class A { function m($c) { return class_exists('Give', false) || \\class_exists(Y::class) \
                || interface_exists(\"\\\\Z\\\\I\") || class_exists($c) || other('Q'); } }";
    let found: Vec<_> =
        php_file(text.as_bytes()).lookups.into_iter().map(|l| (l.name, l.without_autoload)).collect();
    let name = str::to_owned;
    assert_eq!(found, [(name("Give"), true), (name("X\\Y"), false), (name("Z\\I"), false)]);
}

#[test]
fn hostile_bytes_and_deep_nesting_are_read_without_harm() {
    php_file(b"<?php \xff\xfe class \0 {");
    let deep = format!("<?php $x = {}1{};", "(".repeat(20_000), ")".repeat(20_000));
    php_file(deep.as_bytes());
    let blocks = format!("<?php {}{}", "if (1) {".repeat(5_000), "}".repeat(5_000));
    php_file(blocks.as_bytes());
    assert_eq!(obstacles(&" ".repeat(2 << 20)), [(PhpObstacle::NotUnderstood, 1)]);
}
