//! Foreign texts as plain text: HTML without its tags, with line ends for paragraphs, `•` for list items, and links as
//! `text (address)`.
//!
//! The text itself decides whether it is HTML, since tools write both into the same field: HTML has a closed pair of
//! tags, a line break or a link. A `<table>` in a sentence about HTML stays.

mod entity;
mod tag;

use entity::decoded;
use tag::{HIDDEN, LINES, PARAGRAPHS, Tag, tags};

/// Elements that format letters of a title.
const LETTERS: [&str; 10] = ["b", "i", "em", "strong", "u", "sub", "sup", "span", "small", "font"];

/// A text without HTML, and what became of its HTML.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) text: String,
    /// Whether the text was HTML.
    pub(super) was_html: bool,
    /// The parts that no text can replace, such as scripts.
    pub(super) dropped: Vec<&'static str>,
}

/// A text of paragraphs, of a tool that may write HTML into it.
pub(super) fn paragraphs(raw: &str) -> Plain {
    if is_html(raw) {
        Converter::of(raw).convert(raw)
    } else {
        Plain { text: decoded(raw), ..Plain::default() }
    }
}

/// A text of one line, such as a title. Only closed pairs of tags that format letters are removed, since a title may
/// name an element of HTML.
pub(super) fn one_line(raw: &str) -> String {
    let mut open: Vec<(String, std::ops::Range<usize>)> = Vec::new();
    let mut cuts = Vec::new();
    for (at, tag) in tags(raw).filter(|(_, tag)| LETTERS.contains(&tag.name.as_str())) {
        let range = at..at + tag.length;
        if !tag.closes {
            open.push((tag.name, range));
        } else if let Some(place) = open.iter().rposition(|(name, _)| *name == tag.name) {
            cuts.extend([open.remove(place).1, range]);
        }
    }
    cuts.sort_by_key(|range| range.start);
    let mut text = String::with_capacity(raw.len());
    let mut from = 0;
    for cut in cuts {
        text.push_str(raw.get(from..cut.start).unwrap_or_default());
        from = cut.end;
    }
    text.push_str(raw.get(from..).unwrap_or_default());
    decoded(&text)
}

/// A name of a person or an organization, which has no tags. Import refuses what looks like one among the speakers.
pub(super) fn name(raw: &str) -> String {
    let raw = decoded(raw);
    let mut text = String::with_capacity(raw.len());
    let mut from = 0;
    for (at, tag) in tags(&raw) {
        text.push_str(raw.get(from..at).unwrap_or_default());
        from = at + tag.length;
    }
    text.push_str(raw.get(from..).unwrap_or_default());
    text.replace(['<', '>'], "")
}

fn is_html(raw: &str) -> bool {
    let mut open = std::collections::HashSet::new();
    let mut tagged = tags(raw.trim_start());
    let starts_with_block =
        tagged.next().is_some_and(|(at, tag)| at == 0 && matches!(&*tag.name, "p" | "div"))
            && tagged.next().is_some_and(|(_, tag)| tag.is_block());
    let is_evidence = |tag: Tag<'_>| match tag.name.as_str() {
        "br" => true,
        "a" if !tag.attribute("href").is_empty() => true,
        "img" if !tag.attribute("src").is_empty() => true,
        _ if tag.closes => open.contains(&tag.name),
        _ => {
            open.insert(tag.name);
            false
        }
    };
    starts_with_block || tags(raw).map(|(_, tag)| tag).any(is_evidence)
}

/// Turns HTML into text, from the first tag to the last.
struct Converter {
    plain: Plain,
    /// Whether line ends in the HTML are only spaces.
    folds: bool,
    /// The open lists: the number of the last item, or none for bullets.
    lists: Vec<Option<usize>>,
    /// The address of the open link, and the byte at which its text starts.
    link: Option<(String, usize)>,
    preformatted: usize,
}

impl Converter {
    fn of(raw: &str) -> Self {
        Self {
            plain: Plain { text: String::with_capacity(raw.len()), was_html: true, dropped: Vec::new() },
            folds: tags(raw).any(|(_, tag)| tag.is_block()),
            lists: Vec::new(),
            link: None,
            preformatted: 0,
        }
    }

    fn convert(mut self, raw: &str) -> Plain {
        let mut rest = raw;
        while let Some(at) = rest.find('<') {
            let (before, after) = rest.split_at(at);
            self.words(before);
            let length = if after.starts_with("<!--") {
                after.find("-->").map_or(after.len(), |end| end + 3)
            } else if let Some(tag) = Tag::at(after) {
                self.tag(&tag);
                match HIDDEN.contains(&tag.name.as_str()) && !tag.closes {
                    true => self.skip_hidden(after, &tag),
                    false => tag.length,
                }
            } else {
                self.plain.text.push('<');
                1
            };
            rest = after.get(length..).unwrap_or_default();
        }
        self.words(rest);
        self.end_link();
        self.plain
    }

    /// The length of an element whose content nobody reads, with its end tag.
    fn skip_hidden(&mut self, text: &str, tag: &Tag<'_>) -> usize {
        self.plain.dropped.push("a script or style");
        let end = text.to_ascii_lowercase().find(&format!("</{}", tag.name));
        end.unwrap_or(text.len()).max(tag.length)
    }

    fn words(&mut self, raw: &str) {
        let text = decoded(raw);
        if !self.folds || self.preformatted > 0 {
            self.plain.text.push_str(&text);
            return;
        }
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
            let (space, after) = rest.split_at(end);
            let end = after.find(char::is_whitespace).unwrap_or(after.len());
            let (word, after) = after.split_at(end);
            // An empty line separates paragraphs in texts that mix HTML with Markdown.
            if space.matches('\n').count() > 1 {
                self.line_ends(2);
            } else if !space.is_empty()
                && !self.plain.text.is_empty()
                && !self.plain.text.ends_with([' ', '\n'])
            {
                self.plain.text.push(' ');
            }
            self.plain.text.push_str(word);
            rest = after;
        }
    }

    /// Ends the line, so that the text ends in `count` line ends.
    fn line_ends(&mut self, count: usize) {
        let text = &mut self.plain.text;
        text.truncate(text.trim_end_matches(' ').len());
        let present = text.len() - text.trim_end_matches('\n').len();
        if !text.is_empty() {
            text.extend(std::iter::repeat_n('\n', count.saturating_sub(present)));
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) {
        match (tag.name.as_str(), tag.closes) {
            ("br", _) => {
                self.plain.text.truncate(self.plain.text.trim_end_matches(' ').len());
                self.plain.text.push('\n');
            }
            ("ul" | "ol", false) => {
                self.line_ends(if self.lists.is_empty() { 2 } else { 1 });
                self.lists.push((tag.name == "ol").then_some(0));
            }
            ("ul" | "ol", true) => {
                self.lists.pop();
                self.line_ends(if self.lists.is_empty() { 2 } else { 1 });
            }
            ("li", false) => {
                self.line_ends(1);
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{number}. ")
                    }
                    _ => "• ".to_owned(),
                };
                self.plain.text.push_str(&mark);
            }
            // A paragraph within a list item would separate the bullet from its text.
            ("p" | "div", _) if !self.lists.is_empty() => {}
            ("td" | "th", false) if !self.plain.text.is_empty() && !self.plain.text.ends_with('\n') => {
                self.plain.text.push_str(" | ");
            }
            ("td" | "th", _) => {}
            ("q", false) => self.plain.text.push('“'),
            ("q", true) => self.plain.text.push('”'),
            ("pre", closes) => {
                self.line_ends(2);
                let depth = self.preformatted;
                self.preformatted = if closes { depth.saturating_sub(1) } else { depth + 1 };
            }
            ("a", false) => {
                self.end_link();
                self.link = Some((tag.attribute("href"), self.plain.text.len()));
            }
            ("a", true) => self.end_link(),
            ("img", _) => {
                let (alt, address) = (tag.attribute("alt"), tag.attribute("src"));
                self.plain.text.push_str(&alt);
                self.address(&address, &alt, "a picture");
            }
            ("iframe" | "video" | "audio" | "source" | "embed" | "object", false) => {
                let address = [tag.attribute("src"), tag.attribute("data")].concat();
                if !address.is_empty() {
                    self.address(&address, "", "an embedded page");
                }
            }
            (name, _) if PARAGRAPHS.contains(&name) => self.line_ends(2),
            (name, _) if LINES.contains(&name) => self.line_ends(1),
            _ => {}
        }
    }

    fn end_link(&mut self) {
        let Some((address, start)) = self.link.take() else { return };
        let words = self.plain.text.get(start..).unwrap_or_default().trim().to_owned();
        if !address.is_empty() && !address.starts_with('#') {
            self.address(&address, &words, "a link without a full address");
        }
    }

    /// Appends an address in parentheses, unless the words before it name it.
    fn address(&mut self, address: &str, words: &str, otherwise: &'static str) {
        let lower = address.to_ascii_lowercase();
        let Some(scheme) = ["https://", "http://", "mailto:", "tel:"].iter().find(|s| lower.starts_with(**s))
        else {
            self.plain.dropped.push(otherwise);
            return;
        };
        let bare = address.get(scheme.len()..).unwrap_or_default().trim_end_matches('/');
        if words.contains(bare) {
            return;
        }
        let shown = if scheme.ends_with("//") { address } else { bare };
        let text = &mut self.plain.text;
        text.truncate(text.trim_end_matches(' ').len());
        if words.is_empty() {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push(' ');
            }
            text.push_str(shown);
        } else {
            text.push_str(&format!(" ({shown})"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(raw: &str) -> String {
        crate::program::Text::block(&paragraphs(raw).text).0.to_string()
    }

    #[test]
    fn html_becomes_lines_and_links_keep_their_address() {
        for (html, expected) in [
            ("<p>One &amp; two<br/>three</p><ul><li>x</li><li>y</li></ul>", "One & two\nthree\n\n• x\n• y"),
            (
                "<p>Install <a href=\"https://a.example/s\">this first</a>.</p>",
                "Install this first (https://a.example/s).",
            ),
            ("<a href='https://a.example/'>a.example</a> rocks", "a.example rocks"),
            ("Write to <a href=mailto:x@a.example>us</a>", "Write to us (x@a.example)"),
            ("<div>One\ntwo</div>\n<div>three</div>", "One two\nthree"),
            ("<h2>Plan</h2><ol><li><p>a</p></li><li>b</li></ol>end", "Plan\n\n1. a\n2. b\n\nend"),
            ("<table><tr><th>a</th><td>b</td></tr><tr><td>c</td></tr></table>", "a | b\nc"),
            ("<pre>x\n  y</pre>z", "x\n  y\n\nz"),
            ("A <b>bold</b> word\nand a line", "A bold word\nand a line"),
            (
                "<p>See <img src=\"https://a.example/p.png\" alt=\"the plan\"></p>",
                "See the plan (https://a.example/p.png)",
            ),
            ("<p>M&uuml;ller &ndash; &#8364;</p><!-- note --><blockquote>q</blockquote>", "Müller – €\n\nq"),
            ("<article><section>a</section><details><summary>b</summary>c</details></article>", "a\nb\nc"),
            ("<dl><dt>a</dt><dd>b</dd></dl><hr>c", "a\nb\n\nc"),
        ] {
            assert_eq!(text(html), expected, "{html}");
            assert!(paragraphs(html).was_html);
        }
        assert_eq!(paragraphs("<p>a</p><script>x < y</script><p>b</p>").dropped, ["a script or style"]);
        assert_eq!(paragraphs("<p><a href='/x'>a</a></p>").dropped, ["a link without a full address"]);
    }

    #[test]
    fn text_with_angle_brackets_stays() {
        for raw in [
            "p < 0.05 and q > 1",
            "AT&T; R&D",
            "a <- b",
            "<3",
            "Vec<u8> & so on",
            "Beyond the <table> element",
            "Fast Vec<u> in practice",
            "<hr> and <img>",
            "<table> layouts",
            "Map<String, Vec<i>>",
        ] {
            assert_eq!(paragraphs(raw), Plain { text: raw.to_owned(), ..Plain::default() });
            assert_eq!(one_line(raw), raw);
        }
    }

    #[test]
    fn titles_lose_only_pairs_that_format_letters() {
        assert_eq!(one_line("How <b>not</b> to <i class='x'>fail</i> &amp; why"), "How not to fail & why");
        assert_eq!(one_line("<p> is not </p>"), "<p> is not </p>");
        assert_eq!(name("<a href='https://a.example'>Ada</a> <p>Example<br/>"), "Ada Example");
        assert_eq!(name("A &lt;p&gt; <<p>p>B"), "A  pB");
    }

    proptest! {
        #[test]
        fn no_text_panics(raw in "(<|>|/|&|;|#|a|p|li|ul|ol|br|=|'| |é|\n|<p>|</p>|<a href=x>|</a>|<li>|<pre>){0,30}") {
            paragraphs(&raw);
            one_line(&raw);
            let named = name(&raw);
            prop_assert!(!named.contains('<'), "{}", named);
        }
    }
}
