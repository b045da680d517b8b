//! Reads a page: its blocks of code, the lines between them, and the commands in both.

/// A fenced block.
#[derive(Debug, PartialEq)]
pub(crate) struct Block<'a> {
    /// What it is said to be, such as `sh`.
    pub(crate) kind: &'a str,
    pub(crate) code: &'a str,
    /// The line of its first fence, from 1.
    pub(crate) line: usize,
}

/// A page, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Page<'a> {
    pub(crate) blocks: Vec<Block<'a>>,
    /// The lines outside of blocks, with their numbers from 1.
    pub(crate) prose: Vec<(usize, &'a str)>,
    /// The line of a fence after which no block ends.
    pub(crate) open: Option<usize>,
}

impl<'a> Page<'a> {
    pub(crate) fn parse(text: &'a str) -> Page<'a> {
        let mut page = Page::default();
        let mut block: Option<(Fence<'a>, usize, usize)> = None;
        let mut end = 0;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let start = end;
            end += line.len();
            block = match (block, Fence::of(line)) {
                (Some((first, number, begin)), Some(last)) if last.ends(&first) => {
                    let code = text[begin..start].trim_end_matches(['\n', '\r']);
                    page.blocks.push(Block { kind: first.kind, code, line: number });
                    None
                }
                (None, Some(first)) => Some((first, index + 1, end)),
                (None, None) => {
                    page.prose.push((index + 1, line.trim_end()));
                    None
                }
                (block, _) => block,
            };
        }
        page.open = block.map(|(_, number, _)| number);
        page
    }

    /// Returns the commands of cargo: the lines of `sh` blocks, and what stands between backquotes in a sentence.
    pub(crate) fn commands(&self) -> Vec<String> {
        let blocks = self.blocks.iter().filter(|block| block.kind == "sh");
        let mut commands: Vec<String> = blocks.flat_map(|block| block.code.lines()).filter_map(command).collect();
        let code = self.code_in_prose();
        commands.extend(code.into_iter().filter(|code| without_variables(code).starts_with("cargo ")));
        commands
    }

    /// Returns what stands between backquotes, also where a line ends in between.
    fn code_in_prose(&self) -> Vec<String> {
        let mut paragraphs = vec![String::new()];
        for (_, line) in &self.prose {
            match paragraphs.last_mut() {
                Some(last) if !line.trim().is_empty() => *last = format!("{last}{} ", line.trim()),
                _ => paragraphs.push(String::new()),
            }
        }
        let code = paragraphs.iter().flat_map(|text| text.split('`').skip(1).step_by(2));
        code.map(|code| code.trim().to_owned()).collect()
    }
}

/// A line that begins or ends a block, however far it is moved in.
#[derive(Clone, Copy)]
struct Fence<'a> {
    marks: &'a str,
    kind: &'a str,
}

impl<'a> Fence<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let line = line.trim();
        let mark = line.chars().next().filter(|mark| "`~".contains(*mark))?;
        let kind = line.trim_start_matches(mark);
        let marks = &line[..line.len() - kind.len()];
        // ` ```a``` ` is code in a sentence.
        (marks.len() >= 3 && !kind.contains('`')).then_some(Fence { marks, kind: kind.trim() })
    }

    /// Says whether this is the end of a block that `first` began.
    fn ends(&self, first: &Fence<'_>) -> bool {
        self.kind.is_empty() && self.marks.starts_with(first.marks)
    }
}

/// Returns a command without the variables before it, as in `A=1 cargo test`.
pub(crate) fn without_variables(command: &str) -> &str {
    match command.split_once(' ') {
        Some((first, rest)) if first.contains('=') && !first.starts_with('-') => without_variables(rest.trim_start()),
        _ => command,
    }
}

/// Returns a line without its comment, if anything is left.
fn command(line: &str) -> Option<String> {
    let line = line.split(" #").next().unwrap_or_default().trim();
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn blocks(text: &str, expected: &[(&str, &str, usize)]) {
        let page = Page::parse(text);
        let found: Vec<_> = page.blocks.iter().map(|block| (block.kind, block.code, block.line)).collect();
        assert_eq!(found, expected);
        assert_eq!(page.open, None);
    }

    #[test]
    fn blocks_are_found_with_what_they_are() {
        let text = "a\n```sh\ncargo a\ncargo b # c\n```\nb\n\n```rust,no_run\nfn a() {}\n```\n```toml\n```\n";
        blocks(text, &[("sh", "cargo a\ncargo b # c", 2), ("rust,no_run", "fn a() {}", 8), ("toml", "", 11)]);
    }

    #[test]
    fn a_block_may_begin_the_page_or_be_moved_in() {
        blocks("```sh\na\n```\n", &[("sh", "a", 1)]);
        blocks("- a\n\n  ```sh\n  a\n  ```\n", &[("sh", "  a", 3)]);
        blocks("~~~sh\n```\n~~~\n````md\n```sh\n```\n````", &[("sh", "```", 1), ("md", "```sh\n```", 4)]);
        blocks("the mark ```a``` is code\n```a``` too\n", &[]);
    }

    #[test]
    fn a_block_without_an_end_is_noticed() {
        let page = Page::parse("a\n```sh\ncargo a\n");
        assert_eq!((page.open, page.prose.as_slice()), (Some(2), &[(1, "a")][..]));
    }

    #[test]
    fn commands_are_found_in_blocks_and_in_sentences() {
        let text = "```sh\ncargo test   # all\n   # nothing\nA=1 cargo b\n```\nsee `cargo a\nb`, `Cargo.toml`, `A=2 cargo c` and `cargo`\n";
        assert_eq!(Page::parse(text).commands(), ["cargo test", "A=1 cargo b", "cargo a b", "A=2 cargo c"]);
        assert_eq!(without_variables("A=1 B=2 cargo a --c=d"), "cargo a --c=d");
    }
}
