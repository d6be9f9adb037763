# SPDX-License-Identifier: BSL-1.0
"""Which places of a C++ source can be changed, and how. The source is expected as clang-format
leaves it: a binary operator has white space on both sides, the brackets of a template do not."""
import bisect
import re
from dataclasses import dataclass

TOKEN = re.compile(r"""
      (?P<skip>    \s+ | //[^\n]* | /\*.*?\*/ )
    | (?P<directive> (?m:^)\#(?:\\\n|[^\n])* )
    | (?P<string>  (?:u8|[uUL])?R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)" | (?:u8|[uUL])?"(?:\\.|[^"\\\n])*" )
    | (?P<char>    (?:u8|[uUL])?'(?:\\.|[^'\\\n])+' )
    | (?P<number>  \.?\d(?:[eEpP][+-]|'(?=\w)|[\w.])* )
    | (?P<word>    [A-Za-z_]\w* )
    | (?P<sign>    <=>|<<=|>>=|->\*|\.\.\.|::|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|. )
    """, re.VERBOSE | re.DOTALL)

BOUNDARY = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
COMPARISON = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "<<": ">>", ">>": "<<", "&": "|",
              "|": "&", "^": "&", "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "|=": "&=",
              "&=": "|=", "<<=": ">>=", ">>=": "<<=", "++": "--", "--": "++"}
LOGIC = {"&&": "||", "||": "&&"}
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}
SCOPES = {"namespace", "struct", "class", "union", "enum", "extern"}
HEADERS = {"if", "while", "for", "switch", "catch"}
# What starts a statement that declares something, or that another kind of change is for.
NOT_DROPPED = {
    "alignas", "asm", "auto", "bool", "case", "catch", "char", "class", "co_return", "const",
    "consteval", "constexpr", "constinit", "default", "do", "double", "else", "enum", "explicit",
    "export", "extern", "float", "for", "friend", "goto", "if", "inline", "int", "long",
    "namespace", "operator", "private", "protected", "public", "requires", "return", "short",
    "signed", "static", "static_assert", "struct", "switch", "template", "thread_local", "try",
    "typedef", "typename", "union", "unsigned", "using", "virtual", "void", "while"}
# Words that may stand before a name without declaring it.
PREFIXES = {"co_await", "co_yield", "throw", "delete", "new", "not", "sizeof"}


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Point:
    """One change of one file: `text[start:end]` becomes `replacement`."""
    file: str
    start: int
    end: int
    replacement: str
    kind: str
    line: int
    column: int
    original: str
    source: str  # the line, stripped
    segment: str  # the part of a statement that it is in, for the rules of exclusion

    @property
    def change(self):
        if self.kind == "statement":
            return "dropped"
        return f"{' '.join(self.original.split())} -> {' '.join(self.replacement.split())}"

    @property
    def key(self):
        return f"{self.file}:{self.line}:{self.column} {self.kind}: {self.change}"


def tokens_of(text):
    """The tokens of a source, without comments, white space and preprocessor lines."""
    return [Token(found.lastgroup if found.lastgroup != "mark" else "string", found[0],
                  found.start(), found.end())
            for found in TOKEN.finditer(text) if found.lastgroup not in ("skip", "directive")]


class Source:
    """A file's tokens, which of them are code of functions, and where statements begin."""

    def __init__(self, file, text):
        self.file, self.text, self.tokens = file, text, tokens_of(text)
        self.partner = {}
        self.statements = []  # (first token, the ";" that ends it) in a function's body
        self.breaks = {-1, len(self.tokens)}  # tokens between which a segment lies
        self.in_function = [False] * len(self.tokens)
        self.fixed = [False] * len(self.tokens)  # in static_assert, if constexpr, template <...>
        self.match_brackets()
        self.find_statements()
        self.find_fixed()

    def match_brackets(self):
        stack = []
        for index, token in enumerate(self.tokens):
            if token.text in ("(", "[", "{"):
                stack.append(index)
            elif token.text in (")", "]", "}") and stack:
                opening = stack.pop()
                self.partner[opening], self.partner[index] = index, opening

    def word(self, index):
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def find_statements(self):
        scopes = []  # for each open brace: is it a function's, or inside of one?
        opened = 0  # the token that the text before the next brace begins with
        starts = []  # where the present statement of each open brace began
        for index, token in enumerate(self.tokens):
            inside = bool(scopes) and scopes[-1]
            self.in_function[index] = inside
            text = token.text
            if text == "{":
                words = {t.text for t in self.tokens[opened:index]}
                declares = not inside and words & SCOPES and self.word(index - 1) != ")"
                local_type = inside and self.word(opened) in ("struct", "class", "enum", "union")
                scopes.append(not (declares or local_type))
                starts.append(index + 1)
                opened = index + 1
            elif text == "}" and scopes:
                scopes.pop()
                starts.pop()
                if starts:
                    # The braces of an initializer or a lambda do not end the statement they are in.
                    if self.word(index + 1) not in (";", ",", ")", ".", "(", "}", "]", "->"):
                        starts[-1] = index + 1
                opened = index + 1
            elif text == ";":
                if inside and starts:
                    self.statements.append((starts[-1], index))
                if starts:
                    starts[-1] = index + 1
                opened = index + 1
            elif inside and starts and self.ends_header(index):
                starts[-1] = index + 1
            elif inside and text in ("else", "do", "try"):
                starts[-1] = index + 1
            if text in (";", "{", "}") or self.ends_header(index) or text == "else":
                self.breaks.add(index)
        self.sorted_breaks = sorted(self.breaks)

    def ends_header(self, index):
        """Is it the ")" of an if, a loop or a switch?"""
        opening = self.partner.get(index)
        if self.tokens[index].text != ")" or opening is None:
            return False
        before = self.word(opening - 1)
        return before in HEADERS or (before == "constexpr" and self.word(opening - 2) == "if")

    def find_fixed(self):
        for index, token in enumerate(self.tokens):
            if token.text == "static_assert" or (
                    token.text == "constexpr" and self.word(index - 1) == "if"):
                for inner in range(index, self.partner.get(index + 1, index) + 1):
                    self.fixed[inner] = True

    def spaced(self, token):
        return (self.text[token.start - 1:token.start].isspace()
                and self.text[token.end:token.end + 1].isspace())

    def segment(self, index):
        after = bisect.bisect_left(self.sorted_breaks, index)
        if self.sorted_breaks[after] == index:
            after += 1
        first, last = self.sorted_breaks[after - 1] + 1, self.sorted_breaks[after] - 1
        first, last = min(first, index), max(last, index)
        return self.text[self.tokens[first].start:self.tokens[last].end]

    def point(self, kind, first, last, replacement, at=None):
        """The change of all from the token `first` to the token `last`."""
        start, end = self.tokens[first].start, self.tokens[last].end
        begin = self.text.rfind("\n", 0, start) + 1
        stop = self.text.find("\n", start)
        return Point(self.file, start, end, replacement, kind, self.text.count("\n", 0, start) + 1,
                     start - begin + 1, self.text[start:end],
                     self.text[begin:stop if stop >= 0 else None].strip(),
                     self.segment(first if at is None else at))

    def points(self):
        found = []
        for index, token in enumerate(self.tokens):
            if self.in_function[index] and not self.fixed[index]:
                found += self.operator_points(index, token)
                found += self.condition_points(index, token)
        for first, end in self.statements:
            found += self.statement_points(first, end)
        return sorted(found, key=lambda p: (p.start, p.kind, p.replacement))

    def operator_points(self, index, token):
        text = token.text
        if token.kind != "sign":
            return
        if text in ("++", "--"):
            yield self.point("arithmetic", index, index, ARITHMETIC[text])
        if text == "!" and self.word(index + 1) != "=":
            yield self.point("condition", index, index, "")
        if not self.spaced(token) or self.word(index - 1) in ("operator", "&", "*"):
            return
        for kind, table in (("boundary", BOUNDARY), ("comparison", COMPARISON),
                            ("arithmetic", ARITHMETIC), ("condition", LOGIC)):
            if text in table and text not in ("++", "--"):
                yield self.point(kind, index, index, table[text])

    def condition_points(self, index, token):
        """if and while: the condition after the initialization, unless it declares something."""
        if token.text not in ("if", "while") or self.word(index + 1) != "(":
            return
        first, last = index + 2, self.partner.get(index + 1, 0) - 1
        for inner in range(first, last + 1):
            if self.word(inner) == ";":
                first = inner + 1
        if first > last or any(self.word(i) == "=" for i in range(first, last + 1)
                               if self.is_outside(i, index + 1)):
            return
        outside = [self.word(i) for i in range(first, last + 1) if self.is_outside(i, index + 1)]
        # These are points of their own, with the same effect.
        if outside[0] == "!" and not LOGIC.keys() & set(outside) or (
                not LOGIC.keys() & set(outside) and COMPARISON.keys() & set(outside)):
            return
        condition = self.text[self.tokens[first].start:self.tokens[last].end]
        if last == first and condition in ("true", "false"):
            return
        yield self.point("condition", first, last, f"!({condition})")

    def is_outside(self, index, opening):
        """Is no bracket between the bracket `opening` and the token open?"""
        depth = 0
        for inner in range(opening + 1, index):
            depth += (self.word(inner) in "([{") - (self.word(inner) in ")]}")
        return depth == 0

    def statement_points(self, first, end):
        begin = self.word(first)
        if first >= end:
            return
        if begin in ("return", "co_return"):
            value = self.text[self.tokens[first].end:self.tokens[end].start].strip()
            swapped = {"true": "false", "false": "true", "0": "1"}.get(value)
            if swapped or value not in ("", "{}", "nullptr", "std::nullopt"):
                yield self.point("return", first, end - 1, f"{begin} {swapped or '{}'}", first)
        elif begin not in NOT_DROPPED and self.is_expression(first, end):
            yield self.point("statement", first, end - 1, "", first)

    def is_expression(self, first, end):
        """Not a declaration: no name stands after a type."""
        if self.tokens[first].kind == "word" and self.word(first + 1) == ":":
            return False  # a label
        index = first
        while index < end:
            text = self.word(index)
            if text in ASSIGNMENTS:
                break
            if self.tokens[index].kind == "word" and index > first:
                before = self.tokens[index - 1]
                glued = before.text in ("&", "*", "&&") and index - 1 > first
                if before.text in (">", ">>") or glued and not self.spaced(before) or (
                        before.kind == "word" and before.text not in PREFIXES):
                    return False
            if text in ("(", "["):
                index = self.partner.get(index, index)
            if text == "{" and self.word(index - 1) not in (")", "]"):
                index = self.partner.get(index, index)
            index += 1
        return True


def points_of(file, text):
    return Source(file, text).points()
