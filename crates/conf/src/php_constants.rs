//! The constants that a PHP file sets, such as `wp-config.php`, by tree-sitter's grammar of PHP.
//!
//! Nothing is run: what only running PHP could tell is `None`. PHP keeps the first definition of a constant.

use std::sync::Arc;

use tree_sitter::{Node, Parser, Tree};

use crate::document::{Document, Span};
use crate::edit_error::Problem;
use crate::php_constant::{PhpCondition, PhpConstant, PhpInclude, PhpLiteral};

/// The largest file that is read, in bytes. The largest `wp-config.php` seen has some tens of KiB.
const LARGEST_BYTES: usize = 1 << 20;

/// A PHP file that keeps every byte, and the constants it sets.
#[derive(Clone, Debug)]
pub struct PhpConstants {
    document: Document,
    tree: Option<Tree>,
    constants: Vec<PhpConstant>,
    includes: Vec<PhpInclude>,
    problems: Vec<Problem>,
}

impl PhpConstants {
    /// Reads the bytes of the file named `file`. Every sequence of bytes can be read.
    pub fn new(file: impl Into<Arc<str>>, bytes: impl Into<Vec<u8>>) -> Self {
        Self::from_document(Document::new(file, bytes))
    }

    pub(crate) fn from_document(document: Document) -> Self {
        let tree = parsed(document.as_bytes());
        let mut read = Self { document, tree: None, constants: vec![], includes: vec![], problems: vec![] };
        let Some(tree) = tree else {
            read.problem(1, "the file is larger than 1 MiB or cannot be parsed", true);
            return read;
        };
        let mut faults = vec![];
        let mut pending = vec![(tree.root_node(), PhpCondition::None)];
        while let Some((node, condition)) = pending.pop() {
            if node.is_error() || node.is_missing() {
                faults.push(node.start_position().row + 1);
                continue;
            }
            read.take_node(node, condition);
            for at in (0..node.child_count()).rev() {
                let Some(child) = node.child(at) else { continue };
                pending.push((child, read.condition_inside(node, child, condition)));
            }
        }
        if let Some(line) = faults.into_iter().min() {
            read.problem(line, "PHP would not parse it", true);
        }
        read.tree = Some(tree);
        read
    }

    /// Returns the document underneath: name, bytes and lines.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Prints the file: the exact bytes, edits included.
    pub fn as_bytes(&self) -> &[u8] {
        self.document.as_bytes()
    }

    /// Prints the file and gives its bytes away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.document.into_bytes()
    }

    /// Every definition in the order of the file.
    pub fn constants(&self) -> &[PhpConstant] {
        &self.constants
    }

    /// The definition that counts: the first that stands under no other condition than being the first.
    pub fn get(&self, name: &str) -> Option<&PhpConstant> {
        let named = || self.constants.iter().filter(|constant| constant.name == name);
        named().find(|constant| constant.condition != PhpCondition::Other)
    }

    /// Every file that this one includes, in the order of the file.
    pub fn includes(&self) -> &[PhpInclude] {
        &self.includes
    }

    /// What PHP would refuse.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(crate) fn root(&self) -> Option<Node<'_>> {
        self.tree.as_ref().map(Tree::root_node)
    }

    fn problem(&mut self, line: usize, what: &'static str, stops: bool) {
        self.problems.push(Problem { file: Arc::clone(self.document.file()), line, what, stops });
    }

    fn text(&self, node: Node<'_>) -> &[u8] {
        Span::new(node.start_byte(), node.end_byte()).of(self.document.as_bytes())
    }

    fn take_node(&mut self, node: Node<'_>, condition: PhpCondition) {
        match node.kind() {
            "function_call_expression" => {
                let found = self.defined(node, condition);
                self.constants.extend(found);
            }
            "const_element" if parent_kind(node) == Some("const_declaration") && !in_class(node) => {
                let found = self.declared(node, condition);
                self.constants.extend(found);
            }
            "require_expression"
            | "require_once_expression"
            | "include_expression"
            | "include_once_expression" => {
                let found = self.included(node, condition);
                self.includes.push(found);
            }
            _ => {}
        }
    }

    fn defined(&self, call: Node<'_>, condition: PhpCondition) -> Option<PhpConstant> {
        let [name, value] = self.arguments(call, b"define")?;
        let name = self.string(name)?;
        let statement = statement_around(call);
        let alone = statement.named_child(0).is_some_and(|only| only.id() == call.id());
        let condition = match condition {
            PhpCondition::UnlessDefined if !self.is_guarded(call, &name) => PhpCondition::Other,
            condition => condition,
        };
        Some(PhpConstant {
            name,
            value: self.literal(value),
            line: call.start_position().row + 1,
            value_span: span(value),
            statement_span: span(statement),
            condition,
            alone,
        })
    }

    fn declared(&self, element: Node<'_>, condition: PhpCondition) -> Option<PhpConstant> {
        let (name, value) = (element.named_child(0)?, element.named_child(1)?);
        let declaration = element.parent()?;
        Some(PhpConstant {
            name: String::from_utf8_lossy(self.text(name)).into_owned(),
            value: self.literal(value),
            line: element.start_position().row + 1,
            value_span: span(value),
            statement_span: span(declaration),
            condition,
            alone: declaration.named_child_count() == 1,
        })
    }

    fn included(&self, node: Node<'_>, condition: PhpCondition) -> PhpInclude {
        let mut expression = node.named_child(0);
        while let Some(inner) = expression.filter(|inner| inner.kind() == "parenthesized_expression") {
            expression = inner.named_child(0);
        }
        let whole = expression.and_then(|expression| self.string(expression));
        let (left, right) = match expression.filter(|expression| expression.kind() == "binary_expression") {
            Some(sum) => (sum.child_by_field_name("left"), sum.child_by_field_name("right")),
            None => (None, None),
        };
        let tail = right.and_then(|right| self.string(right));
        let beside = left.is_some_and(|left| {
            let text: Vec<u8> =
                self.text(left).iter().filter(|byte| !byte.is_ascii_whitespace()).copied().collect();
            [&b"__DIR__"[..], b"dirname(__FILE__)"].iter().any(|known| text.eq_ignore_ascii_case(known))
        });
        let path = match (&whole, &tail) {
            (Some(whole), _) if whole.starts_with('/') => Some(whole.clone()),
            (None, Some(tail)) if beside => Some(format!("./{}", tail.trim_start_matches('/'))),
            _ => None,
        };
        PhpInclude {
            line: node.start_position().row + 1,
            path,
            ends_with: whole.or(tail),
            span: span(statement_around(node)),
            conditional: condition != PhpCondition::None,
        }
    }

    /// The two first arguments of a call of a function of this name.
    fn arguments<'t>(&self, call: Node<'t>, name: &[u8]) -> Option<[Node<'t>; 2]> {
        if !self.calls(call, name) {
            return None;
        }
        let arguments = call.child_by_field_name("arguments")?;
        let argument = |at: u32| arguments.named_child(at)?.named_child(0);
        Some([argument(0)?, argument(1)?])
    }

    fn calls(&self, call: Node<'_>, name: &[u8]) -> bool {
        let function = call.child_by_field_name("function").map(|function| self.text(function));
        function.is_some_and(|function| {
            function.strip_prefix(b"\\").unwrap_or(function).eq_ignore_ascii_case(name)
        })
    }

    /// Whether the text before a definition, within its `if` or expression, asks `defined('NAME')` of the same name.
    fn is_guarded(&self, call: Node<'_>, name: &str) -> bool {
        let mut around = call.parent();
        while let Some(node) = around {
            let guard = match node.kind() {
                "if_statement" => node.child_by_field_name("condition"),
                "binary_expression" => node.child_by_field_name("left"),
                _ => None,
            };
            if let Some(asked) = guard.and_then(|guard| self.asks_defined(guard)) {
                return asked == name;
            }
            around = node.parent();
        }
        false
    }

    /// The name in `defined('NAME')`, `!defined('NAME')`, with any brackets around.
    fn asks_defined(&self, node: Node<'_>) -> Option<String> {
        match node.kind() {
            "parenthesized_expression" | "unary_op_expression" => {
                node.named_child(0).and_then(|inner| self.asks_defined(inner))
            }
            "function_call_expression" if self.calls(node, b"defined") => {
                let arguments = node.child_by_field_name("arguments")?;
                self.string(arguments.named_child(0)?.named_child(0)?)
            }
            _ => None,
        }
    }

    fn condition_inside(&self, node: Node<'_>, child: Node<'_>, outside: PhpCondition) -> PhpCondition {
        let is_field =
            |field: &str| node.child_by_field_name(field).is_some_and(|own| own.id() == child.id());
        let inside = match node.kind() {
            "if_statement" if is_field("body") => {
                let guard = node.child_by_field_name("condition");
                let negated = guard.and_then(|guard| guard.named_child(0)).filter(|inner| {
                    inner.kind() == "unary_op_expression" && self.text(*inner).starts_with(b"!")
                });
                unless_defined(negated.and_then(|inner| self.asks_defined(inner)).is_some())
            }
            "if_statement" if !is_field("condition") => PhpCondition::Other,
            "binary_expression" if is_field("right") => {
                let operator = node.child_by_field_name("operator").map(|operator| self.text(operator));
                let or = operator.is_some_and(|word| word == b"||" || word.eq_ignore_ascii_case(b"or"));
                let left = node.child_by_field_name("left").and_then(|left| self.asks_defined(left));
                unless_defined(or && left.is_some())
            }
            "else_clause"
            | "else_if_clause"
            | "switch_statement"
            | "for_statement"
            | "foreach_statement"
            | "while_statement"
            | "do_statement"
            | "try_statement"
            | "function_definition"
            | "method_declaration"
            | "anonymous_function"
            | "anonymous_function_creation_expression"
            | "arrow_function"
            | "class_declaration"
            | "conditional_expression"
            | "match_expression" => PhpCondition::Other,
            _ => PhpCondition::None,
        };
        match (outside, inside) {
            (outside, PhpCondition::None) => outside,
            (PhpCondition::None, inside) => inside,
            _ => PhpCondition::Other,
        }
    }

    fn string(&self, node: Node<'_>) -> Option<String> {
        match self.literal(node)? {
            PhpLiteral::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn literal(&self, node: Node<'_>) -> Option<PhpLiteral> {
        let text = String::from_utf8_lossy(self.text(node)).into_owned();
        match node.kind() {
            "boolean" => Some(PhpLiteral::Bool(text.eq_ignore_ascii_case("true"))),
            "null" => Some(PhpLiteral::Null),
            "integer" | "float" => Some(PhpLiteral::Number(text)),
            "unary_op_expression" => {
                let inner =
                    node.named_child(0).filter(|inner| matches!(inner.kind(), "integer" | "float"))?;
                let sign = text.starts_with(['-', '+']);
                let number = String::from_utf8_lossy(self.text(inner)).into_owned();
                let minus = if text.starts_with('-') { "-" } else { "" };
                sign.then(|| PhpLiteral::Number(format!("{minus}{number}")))
            }
            "string" | "encapsed_string" => self.string_value(node, &text).map(PhpLiteral::Text),
            _ => None,
        }
    }

    /// A string without variables. The escapes of `'…'` are undone; a `"…"` with escapes is left to PHP.
    fn string_value(&self, node: Node<'_>, text: &str) -> Option<String> {
        let single = node.kind() == "string";
        let quote = if single { '\'' } else { '"' };
        let inside = text.trim_start_matches(['b', 'B']).strip_prefix(quote)?.strip_suffix(quote)?;
        if single {
            return Some(inside.replace("\\'", "'").replace("\\\\", "\\"));
        }
        let mut cursor = node.walk();
        let plain = node.named_children(&mut cursor).all(|part| part.kind() == "string_content");
        (plain && !inside.contains('\\')).then(|| inside.to_owned())
    }
}

fn parsed(bytes: &[u8]) -> Option<Tree> {
    if bytes.len() > LARGEST_BYTES {
        return None;
    }
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_php::LANGUAGE_PHP.into()).ok()?;
    parser.parse(bytes, None)
}

fn unless_defined(is: bool) -> PhpCondition {
    if is { PhpCondition::UnlessDefined } else { PhpCondition::Other }
}

fn span(node: Node<'_>) -> Span {
    Span::new(node.start_byte(), node.end_byte())
}

fn parent_kind<'t>(node: Node<'t>) -> Option<&'t str> {
    Some(node.parent()?.kind())
}

fn in_class(node: Node<'_>) -> bool {
    let around = node.parent().and_then(|declaration| declaration.parent());
    around.is_some_and(|around| around.kind() == "declaration_list")
}

/// The nearest statement around a node.
fn statement_around(node: Node<'_>) -> Node<'_> {
    let mut around = node;
    while !around.kind().ends_with("_statement") {
        match around.parent() {
            Some(parent) if parent.kind() != "program" => around = parent,
            _ => return node,
        }
    }
    around
}

#[cfg(test)]
#[path = "php_constants_tests.rs"]
mod tests;
