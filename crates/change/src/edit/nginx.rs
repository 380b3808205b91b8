//! Directives of Nginx.

use conf::NginxDocument;
use model::DirectiveEdit;

use super::failed;
use crate::ChangeError;

pub(super) fn edited(
    path: &str,
    bytes: &[u8],
    block: &[String],
    (directive, first_argument): (&str, Option<&str>),
    to: &DirectiveEdit,
) -> Result<Vec<u8>, ChangeError> {
    let mut document = NginxDocument::new(path, bytes);
    match to {
        DirectiveEdit::Arguments { arguments } => {
            document.set_arguments(block, directive, first_argument, arguments)
        }
        DirectiveEdit::Parameter { name, value } => {
            document.set_parameter(block, directive, first_argument, name, value)
        }
        DirectiveEdit::OneMore { arguments } => document.add_arguments(block, directive, arguments),
        DirectiveEdit::Block { arguments, lines: Some(lines) } => {
            document.set_block(block, directive, arguments, lines)
        }
        DirectiveEdit::Block { arguments, lines: None } => document.remove_block(block, directive, arguments),
        DirectiveEdit::Removed => document.remove(block, directive, first_argument),
    }
    .map_err(|error| failed(path, directive, &error))?;
    Ok(document.into_bytes())
}
