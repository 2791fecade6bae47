//! The texts in which numbers are told: OpenMetrics 1.0, and the older one of Prometheus, which more tools read.
//!
//! Invariant: both tell the same samples, under the same names.

/// A text in which numbers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposition {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' own, 0.0.4.
    Older,
}

impl Exposition {
    /// The one that a client wants which sends this header `Accept`: OpenMetrics, unless it likes the older one better.
    #[must_use]
    pub fn accepted(accept: &str) -> Self {
        let older = quality(accept, "text/plain").unwrap_or(0.0);
        if older > quality(accept, "application/openmetrics-text").unwrap_or(0.0) {
            Self::Older
        } else {
            Self::OpenMetrics
        }
    }

    /// Its media type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Older => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// A text of OpenMetrics, as this one tells it.
    pub(crate) fn of(self, openmetrics: String) -> String {
        match self {
            Self::OpenMetrics => openmetrics,
            Self::Older => older(&openmetrics),
        }
    }
}

/// How much a client likes a media type that it names.
fn quality(accept: &str, media_type: &str) -> Option<f32> {
    let quality_of = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let is_named = parts.next()?.eq_ignore_ascii_case(media_type);
        let quality = parts.find_map(|parameter| parameter.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok());
        quality.filter(|_| is_named)
    };
    accept.split(',').filter_map(quality_of).reduce(f32::max)
}

/// The older text has the names of samples where OpenMetrics has those of families, knows neither units nor `info`, and ends
/// without a word.
fn older(openmetrics: &str) -> String {
    let mut out = String::with_capacity(openmetrics.len());
    let mut help = "";
    for line in openmetrics.lines() {
        if let Some(of_family) = line.strip_prefix("# HELP ") {
            help = of_family.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some((family, kind)) = line.strip_prefix("# TYPE ").and_then(|named| named.split_once(' ')) {
            let (suffix, kind) = match kind {
                "counter" => ("_total", kind),
                "info" => ("_info", "gauge"),
                _ => ("", kind),
            };
            for part in ["# HELP ", family, suffix, " ", help, "\n# TYPE ", family, suffix, " ", kind, "\n"] {
                out.push_str(part);
            }
        } else if !line.starts_with("# ") {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_the_older_text_only_where_it_likes_it_better() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for accept in
            ["", "*/*", "application/openmetrics-text", prometheus, "text/plain, application/openmetrics-text"]
        {
            assert_eq!(Exposition::accepted(accept), Exposition::OpenMetrics, "{accept}");
        }
        let older = "application/openmetrics-text;q=0.1, text/plain;q=0.7;version=0.0.4";
        for accept in ["text/plain", "TEXT/PLAIN; version=0.0.4", "text/plain;q=0.5,*/*;q=0.1", older] {
            assert_eq!(Exposition::accepted(accept), Exposition::Older, "{accept}");
        }
        assert_eq!(Exposition::accepted("text/plain;q=nonsense"), Exposition::OpenMetrics);
    }

    #[test]
    fn the_older_text_tells_the_same_samples() {
        let openmetrics = "# HELP a_seconds How long.\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\na_seconds_total 1.5\n\
            # HELP build Which.\n# TYPE build info\nbuild_info{version=\"# UNIT\"} 1\n# HELP g Now.\n# TYPE g gauge\ng 2\n# EOF\n";
        let older = "# HELP a_seconds_total How long.\n# TYPE a_seconds_total counter\na_seconds_total 1.5\n\
            # HELP build_info Which.\n# TYPE build_info gauge\nbuild_info{version=\"# UNIT\"} 1\n# HELP g Now.\n# TYPE g gauge\ng 2\n";
        assert_eq!(Exposition::Older.of(openmetrics.to_owned()), older);
        assert_eq!(Exposition::OpenMetrics.of(openmetrics.to_owned()), openmetrics);
    }
}
