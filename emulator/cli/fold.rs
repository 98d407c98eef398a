//! Breaks lines of Chinese text, which has no spaces to break at, so that `clap` indents what follows.

/// From here on, characters take two columns: East Asian scripts and their marks.
const WIDE_FROM: char = '\u{1100}';
/// What may not begin a line.
const CLOSING: &str = "，。；：、？！）」』》”’…";
/// What may not end one.
const OPENING: &str = "（「『《“‘";

/// The text with its lines broken after at most `columns`, where it can be broken.
pub(crate) fn fold(text: &str, columns: usize) -> String {
    text.lines().map(|line| fold_line(line, columns)).collect::<Vec<_>>().join("\n")
}

fn fold_line(line: &str, columns: usize) -> String {
    let (mut folded, mut column) = (String::with_capacity(line.len() + 8), 0);
    for part in parts(line) {
        let width = part.trim_end().chars().map(width).sum::<usize>();
        if column > 0 && column + width > columns {
            folded.truncate(folded.trim_end().len());
            folded.push('\n');
            column = 0;
        }
        folded.push_str(part);
        column += part.chars().map(self::width).sum::<usize>();
    }
    folded
}

/// The line in parts that may stand on lines of their own: words with the space after them, wide characters with their marks.
fn parts(line: &str) -> Vec<&str> {
    let (mut parts, mut start, mut before) = (Vec::new(), 0, None);
    for (index, char) in line.char_indices() {
        if before.is_some_and(|before| may_break(before, char)) {
            parts.push(&line[start..index]);
            start = index;
        }
        before = Some(char);
    }
    parts.push(&line[start..]);
    parts
}

fn may_break(before: char, after: char) -> bool {
    let is_allowed = !CLOSING.contains(after) && !OPENING.contains(before) && after != ' ';
    is_allowed && (before == ' ' || is_wide(before) || is_wide(after))
}

fn is_wide(char: char) -> bool {
    char >= WIDE_FROM
}

fn width(char: char) -> usize {
    if is_wide(char) { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_between_words_of_either_kind() {
        for (text, columns, expected) in [
            ("在本机启动云环境", 8, "在本机启\n动云环境"),
            ("默认：当前目录。", 6, "默认：\n当前目\n录。"),
            ("用 emulator seed 写入", 16, "用 emulator seed\n写入"),
            ("（默认）", 4, "（默\n认）"),
            ("短\n\n长", 80, "短\n\n长"),
            ("emulator", 3, "emulator"),
            ("", 3, ""),
        ] {
            assert_eq!(fold(text, columns), expected, "{text}");
        }
    }
}
