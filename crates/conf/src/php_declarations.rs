//! What a PHP file declares, and what it does besides, as far as its text tells. No code is run.
//!
//! Names are resolved by the file's namespace and imports, and written without a leading `\`. PHP compares names of classes
//! without regard to case; [`PhpDeclaration::key`] is for comparing.

use tree_sitter::{Node, Parser, Tree};

use crate::php_names::Names;

/// Longer files are not parsed: code is shorter, generated tables are not classes.
const MOST_BYTES: usize = 1 << 20;

/// What kind of thing is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhpKind {
    /// `class`.
    Class,
    /// `new class`, somewhere within the file.
    AnonymousClass,
    /// `interface`.
    Interface,
    /// `trait`.
    Trait,
    /// `enum`.
    Enum,
}

/// A class, interface, trait or enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhpDeclaration {
    /// Its full name; empty for an anonymous class.
    pub name: String,
    /// What it is.
    pub kind: PhpKind,
    /// Its line, from 1.
    pub line: usize,
    /// The classes it cannot be linked without: parents, interfaces, traits.
    pub needs: Vec<String>,
    /// Its methods that have types.
    pub methods: Vec<PhpMethod>,
}

impl PhpDeclaration {
    /// The name by which PHP finds it.
    pub fn key(&self) -> String {
        php_class_key(&self.name)
    }
}

/// A method, as far as PHP compares it with that of a parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhpMethod {
    /// Its name, in lower case.
    pub name: String,
    /// The types of its parameters, and last that of what it returns; empty text for none.
    pub types: Vec<String>,
    /// The classes named in these types.
    pub classes: Vec<String>,
}

/// Why a file is more than declarations of classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PhpObstacle {
    /// It declares a class under a condition, or inside a function.
    ConditionalDeclaration,
    /// It declares functions.
    Function,
    /// It declares constants outside of classes.
    Constant,
    /// It does something when it is included.
    SideEffect,
    /// It prints text outside of `<?php … ?>`.
    Text,
    /// It was not understood.
    NotUnderstood,
}

/// Code that looks whether a class exists (`class_exists` and its kin).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhpLookup {
    /// The full name of the class.
    pub name: String,
    /// Whether the autoloader is not asked (`false` as second argument).
    pub without_autoload: bool,
}

/// A PHP file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhpFile {
    /// Its classes and the like, anonymous ones among them.
    pub declarations: Vec<PhpDeclaration>,
    /// What else is in it, each with its line.
    pub obstacles: Vec<(PhpObstacle, usize)>,
    /// The classes it looks for.
    pub lookups: Vec<PhpLookup>,
}

/// A name of a class as PHP compares it: in lower case (ASCII), without a leading `\`.
pub fn php_class_key(name: &str) -> String {
    name.trim_start_matches('\\').to_ascii_lowercase()
}

/// Reads a PHP file. Every sequence of bytes can be read; what is not understood is an obstacle.
pub fn php_file(bytes: &[u8]) -> PhpFile {
    match parse(bytes) {
        Some(tree) => Reader::new(bytes).read(&tree),
        None => PhpFile { obstacles: vec![(PhpObstacle::NotUnderstood, 1)], ..PhpFile::default() },
    }
}

fn parse(bytes: &[u8]) -> Option<Tree> {
    if bytes.len() > MOST_BYTES {
        return None;
    }
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_php::LANGUAGE_PHP.into()).ok()?;
    parser.parse(bytes, None)
}

struct Reader<'a> {
    bytes: &'a [u8],
    names: Names,
    file: PhpFile,
}

fn line(node: Node) -> usize {
    node.start_position().row.saturating_add(1)
}

fn kind_of(node: Node) -> Option<PhpKind> {
    Some(match node.kind() {
        "class_declaration" => PhpKind::Class,
        "anonymous_class" => PhpKind::AnonymousClass,
        "interface_declaration" => PhpKind::Interface,
        "trait_declaration" => PhpKind::Trait,
        "enum_declaration" => PhpKind::Enum,
        _ => return None,
    })
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, names: Names::default(), file: PhpFile::default() }
    }

    fn text(&self, node: Node) -> String {
        let text = self.bytes.get(node.byte_range()).unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }

    fn read(mut self, tree: &Tree) -> PhpFile {
        let root = tree.root_node();
        if root.has_error() {
            self.file.obstacles.push((PhpObstacle::NotUnderstood, 1));
        }
        self.statements(root);
        self.file
    }

    /// The statements of the file, and of namespaces with braces.
    fn statements(&mut self, block: Node) {
        for statement in children(block) {
            match statement.kind() {
                "namespace_definition" => {
                    let name = statement.child_by_field_name("name").map(|name| self.text(name));
                    self.names.enter(name.unwrap_or_default());
                    if let Some(body) = statement.child_by_field_name("body") {
                        self.statements(body);
                        self.names.enter(String::new());
                    }
                }
                "namespace_use_declaration" => self.imports(statement),
                _ => self.statement(statement),
            }
        }
    }

    fn statement(&mut self, statement: Node) {
        let obstacle = match statement.kind() {
            "php_tag" | "php_end_tag" | "comment" | "empty_statement" => None,
            "declare_statement" => (statement.named_child_count() > 1).then_some(PhpObstacle::SideEffect),
            "text" | "text_interpolation" => {
                let text = self.text(statement);
                let printed = text.trim_start_matches("?>").trim_end_matches("<?php");
                (!printed.trim().is_empty()).then_some(PhpObstacle::Text)
            }
            "function_definition" => Some(PhpObstacle::Function),
            "const_declaration" => Some(PhpObstacle::Constant),
            "class_declaration" | "interface_declaration" | "trait_declaration" | "enum_declaration" => {
                self.declaration(statement);
                None
            }
            _ => Some(PhpObstacle::SideEffect),
        };
        if let Some(obstacle) = obstacle {
            self.file.obstacles.push((obstacle, line(statement)));
        }
        self.within(statement);
    }

    /// Looks at everything inside a statement, without recursion: code may be nested as deep as its writer likes.
    fn within(&mut self, top: Node) {
        let mut cursor = top.walk();
        loop {
            let node = cursor.node();
            if node.id() != top.id() {
                self.inner(node);
            }
            if cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() || cursor.node().id() == top.id() {
                    return;
                }
            }
        }
    }

    fn inner(&mut self, node: Node) {
        match node.kind() {
            "anonymous_class" => self.declaration(node),
            "function_call_expression" => self.call(node),
            _ if kind_of(node).is_some() => {
                self.file.obstacles.push((PhpObstacle::ConditionalDeclaration, line(node)));
            }
            _ => {}
        }
    }

    fn declaration(&mut self, node: Node) {
        let Some(kind) = kind_of(node) else { return };
        let own = node.child_by_field_name("name").map(|name| self.names.declared(&self.text(name)));
        let name = own.unwrap_or_default();
        let mut declaration = PhpDeclaration { name, kind, line: line(node), needs: vec![], methods: vec![] };
        for child in children(node) {
            if matches!(child.kind(), "base_clause" | "class_interface_clause") {
                declaration.needs.extend(self.named_in(child));
            }
        }
        let body = node.child_by_field_name("body").map(children).unwrap_or_default();
        for member in body {
            match member.kind() {
                "use_declaration" => declaration.needs.extend(self.named_in(member)),
                "method_declaration" => declaration.methods.extend(self.method(member)),
                _ => {}
            }
        }
        self.file.declarations.push(declaration);
    }

    /// The classes that stand directly in a clause.
    fn named_in(&self, clause: Node) -> Vec<String> {
        let names = children(clause).into_iter().filter(|child| is_name(*child));
        names.map(|name| self.names.class(&self.text(name))).collect()
    }

    fn method(&self, node: Node) -> Option<PhpMethod> {
        let name = self.text(node.child_by_field_name("name")?).to_ascii_lowercase();
        let mut method = PhpMethod { name, types: vec![], classes: vec![] };
        let parameters = node.child_by_field_name("parameters").map(children).unwrap_or_default();
        let types = parameters.into_iter().map(|parameter| parameter.child_by_field_name("type"));
        for node in types.chain([node.child_by_field_name("return_type")]) {
            let text = node.map_or_else(String::new, |node| self.type_text(node, &mut method.classes));
            method.types.push(text);
        }
        Some(method)
    }

    /// A type with its names resolved, and the classes in it.
    fn type_text(&self, node: Node, classes: &mut Vec<String>) -> String {
        let mut text = self.text(node);
        for part in descendants(node).into_iter().filter(|part| part.kind() == "named_type") {
            let written = self.text(part);
            let class = self.names.class(&written);
            if !matches!(class.as_str(), "self" | "static" | "parent") {
                text = text.replacen(&written, &class, 1);
                classes.push(class);
            }
        }
        text.to_ascii_lowercase()
    }

    fn call(&mut self, node: Node) {
        let Some(function) = node.child_by_field_name("function") else { return };
        let function = self.text(function).to_ascii_lowercase();
        let known = ["class_exists", "interface_exists", "trait_exists", "enum_exists"];
        if !known.contains(&function.trim_start_matches('\\')) {
            return;
        }
        let arguments = node.child_by_field_name("arguments").map(children).unwrap_or_default();
        let mut arguments = arguments.into_iter().filter(|argument| argument.kind() == "argument");
        let Some(name) = arguments.next().and_then(|argument| self.class_of(argument)) else { return };
        let autoload = arguments.next().map(|argument| self.text(argument).to_ascii_lowercase());
        let without_autoload = autoload.is_some_and(|value| value.ends_with("false"));
        self.file.lookups.push(PhpLookup { name, without_autoload });
    }

    /// The class that an argument names: `'A\B'` or `B::class`.
    fn class_of(&self, argument: Node) -> Option<String> {
        let value = children(argument).pop()?;
        let text = self.text(value);
        match value.kind() {
            "class_constant_access_expression" => {
                let class = text.strip_suffix("::class")?;
                Some(self.names.class(class))
            }
            "string" | "encapsed_string" => {
                let name = text.trim_matches(['\'', '"']).replace("\\\\", "\\");
                Some(name.trim_start_matches('\\').to_owned())
            }
            _ => None,
        }
    }

    fn imports(&mut self, node: Node) {
        if node.child_by_field_name("type").is_some() {
            return;
        }
        let parts = children(node);
        let prefix = parts.iter().find(|part| part.kind() == "namespace_name").map(|part| self.text(*part));
        let clauses = match node.child_by_field_name("body") {
            Some(group) => children(group),
            None => parts,
        };
        for clause in clauses.into_iter().filter(|part| part.kind() == "namespace_use_clause") {
            if clause.child_by_field_name("type").is_some() {
                continue;
            }
            let Some(name) = children(clause).into_iter().find(|part| is_name(*part)) else { continue };
            let alias = clause.child_by_field_name("alias").map(|alias| self.text(alias));
            self.names.import(prefix.as_deref(), &self.text(name), alias.as_deref());
        }
    }
}

fn is_name(node: Node) -> bool {
    matches!(node.kind(), "name" | "qualified_name" | "relative_name" | "namespace_name")
}

fn children(node: Node) -> Vec<Node> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

/// A node and all below it. For types, which are short.
fn descendants(node: Node) -> Vec<Node> {
    let mut found = vec![node];
    let mut at = 0;
    while let Some(next) = found.get(at).copied() {
        found.extend(children(next));
        at += 1;
    }
    found
}
