const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`;
const FORMS = [
  // Sun, 06 Nov 1994 08:49:37 GMT
  new RegExp(String.raw`^[A-Z][a-z]{2}, (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) ${TIME} GMT$`),
  // Sunday, 06-Nov-94 08:49:37 GMT
  new RegExp(String.raw`^[A-Z][a-z]+day, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) ${TIME} GMT$`),
  // Sun Nov  6 08:49:37 1994
  new RegExp(String.raw`^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) ${TIME} (?<year>\d{4})$`),
];

/** The instant of an HTTP-date in ms, in any of the three forms of RFC 9110; null for any other text. */
export function parseHttpDate(text: string): number | null {
  for (const form of FORMS) {
    const parts = form.exec(text)?.groups;
    if (!parts) continue;
    const [day, hour, minute, second] = ['day', 'hour', 'minute', 'second'].map((name) =>
      Number(parts[name]),
    ) as [number, number, number, number];
    const month = MONTHS.indexOf(parts.month ?? '');
    const at = new Date(Date.UTC(fullYear(parts.year ?? ''), month, day, hour, minute, second));
    const exists = month >= 0 && at.getUTCDate() === day && hour < 24 && minute < 60 && second < 61;
    return exists ? at.getTime() : null;
  }
  return null;
}

export function toHttpDate(ms: number): string {
  return new Date(ms).toUTCString();
}

/** Two digits are of the years around the change of the millennium: nobody sends them of another. */
function fullYear(digits: string): number {
  const year = Number(digits);
  if (digits.length > 2) return year;
  return year < 70 ? 2000 + year : 1900 + year;
}
