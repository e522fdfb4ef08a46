//! What can be found in a text.

/// What a rule looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detector {
    /// E-mail addresses.
    Email,
    /// Telephone numbers: international ones, and national ones with separators.
    Phone,
    /// Numbers of payment cards: 13 to 19 digits with a right check digit.
    Card,
    /// Numbers of bank accounts (ISO 13616) with a right check.
    Iban,
    /// IPv4 and IPv6 addresses.
    Ip,
    /// JSON web tokens.
    Jwt,
    /// Keys of clouds and services that have a recognisable form.
    ApiKey,
    /// Private keys as PEM.
    PrivateKey,
    /// Passwords within addresses, as in `scheme://user:password@host`.
    UrlPassword,
    /// Values of fields whose name says that they are secret, `password=…` and bearer tokens.
    Secret,
    /// A pattern of the tenant's own.
    Custom {
        /// What its findings are called.
        name: String,
        /// The regular expression. Its first group is what is masked; without one, all of it.
        pattern: String,
    },
}

/// The detectors that need nothing but their name.
pub(super) const BUILT_IN: [Detector; 10] = [
    Detector::Email,
    Detector::Phone,
    Detector::Card,
    Detector::Iban,
    Detector::Ip,
    Detector::Jwt,
    Detector::ApiKey,
    Detector::PrivateKey,
    Detector::UrlPassword,
    Detector::Secret,
];

// What the patterns find is checked further in `find`.
const EMAIL: &str = r"[\w.%+'-]+@(?:[\w-]+\.)+\p{L}[\w-]+";
const PHONE_INTERNATIONAL: &str = r"\+[0-9]{1,4}(?:[ ./-]?\(?[0-9]{1,5}\)?){1,7}";
const PHONE_NATIONAL: &str = concat!(
    r"\([0-9]{2,5}\)[ .-]?[0-9]{3,4}[ .-]?[0-9]{3,5}",
    r"|[0-9]{3}[ .-][0-9]{3}[ .-][0-9]{4}",
    r"|0[0-9]{2,4}[ /-][0-9]{3,4}[ -]?[0-9]{3,5}",
    r"|0[0-9](?:[ .][0-9]{2}){4}",
);
const CARD: &str = r"[0-9](?:[ -]?[0-9]){12,}";
const IBAN: &str = r"(?i)\b[a-z]{2}[0-9]{2}[ -]?[a-z0-9]{2}";
const IPV4: &str = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}";
const IPV6: &str = r"(?i)(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:(?:\.[0-9]{1,3}){3})?";
const JWT: &str = r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}";
const API_KEY: &str = concat!(
    // Amazon, GitHub, GitLab, Slack, Google, Stripe, npm, SendGrid, model providers, Ledgerline.
    r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}",
    r"|\bgithub_pat_[A-Za-z0-9_]{22,}",
    r"|\bglpat-[A-Za-z0-9_-]{20,}",
    r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    r"|\bAIza[A-Za-z0-9_-]{35}",
    r"|\bya29\.[A-Za-z0-9_-]{20,}",
    r"|\b[srp]k_(?:live|test)_[A-Za-z0-9]{16,}",
    r"|\bwhsec_[A-Za-z0-9+/]{24,}",
    r"|\bnpm_[A-Za-z0-9]{36}",
    r"|\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"|\bsk-[A-Za-z0-9_-]{20,}",
    r"|\bll_[a-z]+_[a-z]+_[A-Za-z0-9]{20,}",
);
const PRIVATE_KEY: &str = concat!(
    r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?",
    r"(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
);
const URL_PASSWORD: &str = r"(?i)\b[a-z][a-z0-9+.-]*://[^\s/?#:@]*:([^\s/?#]+)@";
const SECRET_PAIR: &str = concat!(
    r"(?i)\b(?:[a-z0-9]+[_-])*(?:password|passwd|pwd|passphrase|secret|token|api[_-]?key)",
    r#"=([^\s&;,"']+)"#,
);
const SECRET_BEARER: &str = r"(?i)\bbearer +([A-Za-z0-9._~+/-]{8,}=*)";

impl Detector {
    /// The name, as rules and findings have it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Card => "card",
            Self::Iban => "iban",
            Self::Ip => "ip",
            Self::Jwt => "jwt",
            Self::ApiKey => "api_key",
            Self::PrivateKey => "private_key",
            Self::UrlPassword => "url_password",
            Self::Secret => "secret",
            Self::Custom { name, .. } => name,
        }
    }

    /// The regular expressions that find candidates.
    pub(super) fn patterns(&self) -> Vec<&str> {
        match self {
            Self::Email => vec![EMAIL],
            Self::Phone => vec![PHONE_INTERNATIONAL, PHONE_NATIONAL],
            Self::Card => vec![CARD],
            Self::Iban => vec![IBAN],
            Self::Ip => vec![IPV4, IPV6],
            Self::Jwt => vec![JWT],
            Self::ApiKey => vec![API_KEY],
            Self::PrivateKey => vec![PRIVATE_KEY],
            Self::UrlPassword => vec![URL_PASSWORD],
            Self::Secret => vec![SECRET_PAIR, SECRET_BEARER],
            Self::Custom { pattern, .. } => vec![pattern],
        }
    }
}

/// Whether the name of a field says that its value is secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    /// Names, without letter case and separators, that are secret in whole.
    const WHOLE: [&str; 13] = [
        "authorization",
        "proxyauthorization",
        "cookie",
        "setcookie",
        "credentials",
        "pwd",
        "otp",
        "cvv",
        "cvc",
        "accesskey",
        "signingkey",
        "encryptionkey",
        "connectionstring",
    ];
    /// Ends of names that are secret.
    const ENDS: [&str; 9] = [
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "secret",
        "token",
        "apikey",
        "privatekey",
        "secretkey",
    ];
    /// Tokens that are places in a list.
    const PLACES: [&str; 4] = ["nexttoken", "pagetoken", "continuationtoken", "synctoken"];
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    WHOLE.contains(&&*plain)
        || plain.ends_with("secretaccesskey")
        || (ENDS.iter().any(|end| plain.ends_with(end))
            && !PLACES.iter().any(|place| plain.ends_with(place)))
}
