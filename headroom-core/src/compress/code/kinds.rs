//! The roles of node kinds.
//!
//! The grammars name equal constructs nearly alike, so one table of names covers all of them.

use tree_sitter::Node;

/// The roles of a node, as bits.
pub(super) mod role {
    /// Has a body that may be elided, while the lines before the body show how it is used.
    pub(in super::super) const FUNCTION: u8 = 1;
    /// A sequence of statements, each of which may be missing.
    pub(in super::super) const BLOCK: u8 = 2;
    /// A sequence of statements within a block, treated as part of the block.
    pub(in super::super) const LIST: u8 = 4;
    /// Handles or raises errors.
    pub(in super::super) const ERROR: u8 = 8;
    pub(in super::super) const CALL: u8 = 16;
    pub(in super::super) const COMMENT: u8 = 32;
    /// A sequence of values.
    pub(in super::super) const DATA: u8 = 64;
    pub(in super::super) const STRING: u8 = 128;
}

const ROLES: [(u8, &[&str]); 8] = [
    (
        role::FUNCTION,
        &[
            "accessor_declaration",
            "anonymous_function",
            "anonymous_method_expression",
            "anonymous_subroutine_expression",
            "arrow_function",
            "closure_expression",
            "compact_constructor_declaration",
            "constructor_declaration",
            "conversion_operator_declaration",
            "destructor_declaration",
            "do_block",
            "func_literal",
            "function_declaration",
            "function_definition",
            "function_expression",
            "function_item",
            "generator_function",
            "generator_function_declaration",
            "lambda_expression",
            "local_function_statement",
            "method",
            "method_declaration",
            "method_declaration_statement",
            "method_definition",
            "operator_declaration",
            "singleton_method",
            "subroutine_declaration_statement",
        ],
    ),
    (
        role::BLOCK,
        &[
            "begin",
            "block",
            "body_statement",
            "compound_statement",
            "constructor_body",
            "do",
            "do_block",
            "do_group",
            "match_block",
            "statement_block",
            "switch_block",
            "switch_body",
            "then",
        ],
    ),
    (role::LIST, &["block_body", "body_statement", "list_expression", "statement_list"]),
    (
        role::ERROR,
        &[
            "assert_statement",
            "catch_clause",
            "ensure",
            "except_clause",
            "goto_expression",
            "goto_statement",
            "raise_statement",
            "rescue",
            "rescue_modifier",
            "seh_except_clause",
            "throw_expression",
            "throw_statement",
        ],
    ),
    (
        role::CALL,
        &[
            "ambiguous_function_call_expression",
            "call",
            "call_expression",
            "command",
            "func0op_call_expression",
            "func1op_call_expression",
            "function_call_expression",
            "invocation_expression",
            "macro_invocation",
            "member_call_expression",
            "method_call_expression",
            "method_invocation",
            "nullsafe_member_call_expression",
            "object_creation_expression",
            "scoped_call_expression",
        ],
    ),
    (role::COMMENT, &["block_comment", "comment", "line_comment", "pod"]),
    (
        role::DATA,
        &[
            "anonymous_array_expression",
            "anonymous_hash_expression",
            "array",
            "array_creation_expression",
            "array_expression",
            "array_initializer",
            "dictionary",
            "hash",
            "initializer_expression",
            "initializer_list",
            "list",
            "literal_value",
            "object",
            "set",
            "tuple",
        ],
    ),
    (role::STRING, &["string"]),
];
/// Nodes that declare names, with the field that holds these.
const DECLARATIONS: [(&str, &str); 35] = [
    ("aliased_import", "alias"),
    ("as_pattern", "alias"),
    ("assignment", "left"),
    ("class_declaration", "name"),
    ("class_definition", "name"),
    ("const_item", "name"),
    ("const_spec", "name"),
    ("declaration", "declarator"),
    ("declaration_expression", "name"),
    ("declaration_pattern", "name"),
    ("enhanced_for_statement", "name"),
    ("for_in_statement", "left"),
    ("for_range_loop", "declarator"),
    ("for_statement", "left"),
    ("for_statement", "variable"),
    ("for_statement", "variables"),
    ("foreach_statement", "left"),
    ("function_declaration", "name"),
    ("function_definition", "name"),
    ("function_item", "name"),
    ("import_from_statement", "name"),
    ("import_statement", "name"),
    ("let_declaration", "pattern"),
    ("local_function_statement", "name"),
    ("named_expression", "name"),
    ("range_clause", "left"),
    ("short_var_declaration", "left"),
    ("static_variable_declaration", "name"),
    ("struct_item", "name"),
    ("type_spec", "name"),
    ("var_spec", "name"),
    ("variable_assignment", "name"),
    ("variable_declaration", "variable"),
    ("variable_declaration", "variables"),
    ("variable_declarator", "name"),
];
/// Nodes that name a place which has its own declaration.
const PLACES: [&str; 12] = [
    "array_element_expression",
    "attribute",
    "call",
    "element_reference",
    "field_expression",
    "hash_element_expression",
    "index_expression",
    "member_access_expression",
    "member_expression",
    "scoped_property_access_expression",
    "subscript",
    "subscript_expression",
];
/// The fields within declared names that hold values, types and sizes.
const VALUES: [&str; 4] = ["parameters", "right", "size", "value"];
/// The fields that hold the callee of a call, by preference.
const CALLEES: [&str; 4] = ["function", "method", "macro", "name"];

/// The roles of a language's node kinds.
pub(super) struct Kinds {
    roles: Vec<u8>,
    /// For kinds that declare names, the field that holds these, and for some another.
    declared: Vec<[Option<u16>; 2]>,
    places: Vec<bool>,
    values: [Option<u16>; 4],
    body: Option<u16>,
    callees: [Option<u16>; 4],
}

impl Kinds {
    /// `assigns` says whether an assignment declares names.
    pub(super) fn new(language: &tree_sitter::Language, assigns: bool) -> Self {
        let name_of =
            |kind: u16| language.node_kind_for_id(kind).filter(|_| language.node_kind_is_named(kind));
        let role = |kind: u16| {
            let name = name_of(kind)?;
            let roles = ROLES.iter().filter(|(_, names)| names.contains(&name));
            Some(roles.fold(0, |bits, (bit, _)| bits | bit))
        };
        let kinds = u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
        let field = |name: &str| language.field_id_for_name(name).map(std::num::NonZero::get);
        let declared = |kind: u16| {
            let Some(name) = name_of(kind) else { return [None; 2] };
            let assignment = Some(&("assignment_expression", "left")).filter(|_| assigns);
            let mut fields = DECLARATIONS
                .iter()
                .chain(assignment)
                .filter(|(kind, _)| *kind == name)
                .filter_map(|(_, name)| field(name));
            [fields.next(), fields.next()]
        };
        Self {
            roles: (0..kinds).map(|kind| role(kind).unwrap_or_default()).collect(),
            declared: (0..kinds).map(declared).collect(),
            places: (0..kinds).map(|kind| name_of(kind).is_some_and(|name| PLACES.contains(&name))).collect(),
            values: VALUES.map(field),
            body: field("body"),
            callees: CALLEES.map(field),
        }
    }

    /// Returns the roles of a node, as bits of [`role`].
    pub(super) fn roles(&self, node: Node<'_>) -> u8 {
        self.roles.get(usize::from(node.kind_id())).copied().unwrap_or_default()
    }

    pub(super) fn is(&self, node: Node<'_>, role: u8) -> bool {
        self.roles(node) & role != 0
    }

    /// Returns the fields of a node that hold the names which it declares.
    pub(super) fn declared(&self, node: Node<'_>) -> impl Iterator<Item = u16> {
        let fields = self.declared.get(usize::from(node.kind_id())).copied().unwrap_or_default();
        fields.into_iter().flatten()
    }

    /// Whether what this field holds is no declared name.
    pub(super) fn holds_values(&self, field: u16) -> bool {
        self.values.contains(&Some(field))
    }

    /// Whether a node names a place which has its own declaration.
    pub(super) fn is_place(&self, node: Node<'_>) -> bool {
        self.places.get(usize::from(node.kind_id())).copied().unwrap_or_default()
    }

    /// Returns the body of a function, if it is a block of its own.
    pub(super) fn body<'t>(&self, function: Node<'t>) -> Option<Node<'t>> {
        let body = function.child_by_field_id(self.body?)?;
        self.is(body, role::BLOCK).then_some(body)
    }

    /// Returns the callee of a call.
    pub(super) fn callee<'t>(&self, call: Node<'t>) -> Option<Node<'t>> {
        self.callees.iter().flatten().find_map(|field| call.child_by_field_id(*field))
    }
}
