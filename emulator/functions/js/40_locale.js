// Dates and numbers by locale and time zone, which the engine has no data for: the forms of zh-CN and en-US.
//
// Differences from the cloud: a locale of another language is answered in the form of en-US; of calendars there is the
// Gregorian one, of digits the Latin ones; `notation: "compact"` and units are left to the engine.

const WEEKDAYS = {
  en: ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
  zh: ["日", "一", "二", "三", "四", "五", "六"],
};
const MONTHS = {
  en: ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
  zh: ["一月", "二月", "三月", "四月", "五月", "六月", "七月", "八月", "九月", "十月", "十一月", "十二月"],
};
const DAY_PERIODS = { en: ["AM", "PM"], zh: ["上午", "下午"] };
const CURRENCY_SIGNS = {
  en: { CNY: "CN¥", EUR: "€", GBP: "£", HKD: "HK$", INR: "₹", JPY: "¥", KRW: "₩", TWD: "NT$", USD: "$" },
  zh: { CNY: "¥", EUR: "€", GBP: "£", HKD: "HK$", INR: "₹", JPY: "JP¥", KRW: "￦", TWD: "NT$", USD: "US$" },
};
const CURRENCIES_WITHOUT_CENTS = ["JPY", "KRW", "VND"];
const DATE_FIELDS = ["weekday", "year", "month", "day"];
const TIME_FIELDS = ["dayPeriod", "hour", "minute", "second", "fractionalSecondDigits"];
const DATE_STYLES = {
  full: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  long: { year: "numeric", month: "long", day: "numeric" },
  medium: { year: "numeric", month: "short", day: "numeric" },
  short: { year: "2-digit", month: "numeric", day: "numeric" },
};
const TIME_STYLES = {
  full: { hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "long" },
  long: { hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short" },
  medium: { hour: "numeric", minute: "2-digit", second: "2-digit" },
  short: { hour: "numeric", minute: "2-digit" },
};

function localeOf(locales) {
  const first = Array.isArray(locales) ? locales[0] : locales;
  if (first === undefined) return { tag: "en-US", language: "en" };
  if (typeof first !== "string" && typeof first !== "object") throw new TypeError("Incorrect locale information provided");
  const tag = Intl.getCanonicalLocales(String(first))[0];
  return { tag, language: tag.split("-")[0] === "zh" ? "zh" : "en" };
}

// Options as asked for, with the fields that are shown when none is.
function resolveDateOptions(locales, options, required, defaults) {
  const { tag, language } = localeOf(locales);
  const asked = { ...(options ?? {}) };
  const styled = asked.dateStyle !== undefined || asked.timeStyle !== undefined;
  if (styled) checkStyles(asked, required);
  const shown = styled ? { ...DATE_STYLES[asked.dateStyle], ...TIME_STYLES[asked.timeStyle] } : { ...asked };
  if (styled && language === "zh" && asked.dateStyle === "short") shown.year = "numeric";
  const fields = [...(required === "time" ? [] : DATE_FIELDS), ...(required === "date" ? [] : TIME_FIELDS)];
  if (!styled && fields.every((field) => shown[field] === undefined)) {
    if (defaults !== "time") Object.assign(shown, { year: "numeric", month: "numeric", day: "numeric" });
    if (defaults !== "date") Object.assign(shown, { hour: "numeric", minute: "2-digit", second: "2-digit" });
  }
  const timeZone = asked.timeZone === undefined ? ZONE_DEFAULT : checkedZone(String(asked.timeZone));
  return { ...shown, tag, language, timeZone, hourCycle: hourCycleOf(asked, language), dateStyle: asked.dateStyle, timeStyle: asked.timeStyle };
}

function checkStyles(asked, required) {
  for (const field of [...DATE_FIELDS, ...TIME_FIELDS, "timeZoneName"]) {
    if (asked[field] !== undefined) throw new TypeError(`Can't set option ${field} when ${asked.dateStyle === undefined ? "timeStyle" : "dateStyle"} is used`);
  }
  if (required === "date" && asked.timeStyle !== undefined) throw new TypeError("Invalid option : timeStyle");
  if (required === "time" && asked.dateStyle !== undefined) throw new TypeError("Invalid option : dateStyle");
}

// The engine knows the time zones, in a form of its own. Clocks are kept: making one is slow.
const EngineFormat = Intl.DateTimeFormat;
const ZONE_DEFAULT = new EngineFormat().resolvedOptions().timeZone;
const CLOCK_FIELDS = { era: "short", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" };
const clocks = new Map();

function clockOf(zone) {
  let clock = clocks.get(zone);
  if (clock === undefined) {
    clock = new EngineFormat("en-US", { ...CLOCK_FIELDS, timeZone: zone, hourCycle: "h23" });
    clocks.set(zone, clock);
  }
  return clock;
}

function checkedZone(zone) {
  try {
    return clockOf(zone).resolvedOptions().timeZone;
  } catch {
    throw new RangeError(`Invalid time zone specified: ${zone}`);
  }
}

// What a clock in the zone shows at that moment.
function timeIn(zone, milliseconds) {
  const time = {};
  for (const { type, value } of clockOf(zone).formatToParts(milliseconds)) {
    if (type !== "literal" && type !== "era") time[type] = Number(value);
    if (type === "era" && value.startsWith("B")) time.isBefore = true;
  }
  if (time.isBefore) time.year = 1 - time.year;
  const shown = Date.UTC(2000, time.month - 1, time.day, time.hour % 24, time.minute, time.second);
  const asUtc = new Date(shown);
  asUtc.setUTCFullYear(time.year, time.month - 1, time.day);
  const whole = Math.floor(milliseconds / 1000) * 1000;
  return { ...time, hour: time.hour % 24, millisecond: milliseconds - whole, offset: asUtc.getTime() - whole, weekday: asUtc.getUTCDay() };
}

function hourCycleOf(asked, language) {
  if (asked.hour12 !== undefined) return asked.hour12 ? "h12" : language === "zh" ? "h23" : "h24";
  return asked.hourCycle ?? (language === "zh" ? "h23" : "h12");
}

const pad = (number, length = 2) => String(number).padStart(length, "0");
const literal = (value) => ({ type: "literal", value });

// Puts a separator between the parts that are there.
function join(parts, separator) {
  return parts.filter(Boolean).flatMap((part, at) => at === 0 ? [part] : [literal(separator), part]);
}

function dateParts(options, time) {
  const isChinese = options.language === "zh";
  const year = options.year && { type: "year", value: options.year === "2-digit" ? pad(time.year % 100) : String(time.year) };
  const day = options.day && { type: "day", value: options.day === "2-digit" ? pad(time.day) : String(time.day) };
  const weekday = options.weekday && { type: "weekday", value: weekdayName(options, time) };
  const isNumeric = options.month === undefined || options.month === "numeric" || options.month === "2-digit";
  const month = options.month && { type: "month", value: monthName(options, time, !(year || day)) };
  if (isChinese) return chineseDate(year, month, day, weekday, isNumeric);
  if (isNumeric) return join([weekday, ...(year || month || day ? [null] : [])], "").concat(englishNumeric(year, month, day, weekday));
  const monthAndDay = join([month, day], " ");
  const rest = year ? [...monthAndDay, literal(day ? ", " : " "), year] : monthAndDay;
  return weekday ? [weekday, literal(", "), ...rest] : rest;
}

function englishNumeric(year, month, day, weekday) {
  const numbers = join([month, day, year], "/");
  return weekday && numbers.length > 0 ? [literal(", "), ...numbers] : numbers;
}

function chineseDate(year, month, day, weekday, isNumeric) {
  const count = [year, month, day].filter(Boolean).length;
  let parts;
  if (isNumeric && count > 1 && !weekday) {
    parts = join([year, month, day], "/");
  } else {
    const isWord = month && !/^\d+$/.test(month.value);
    parts = [...(year ? [year, literal("年")] : []), ...(month ? (isWord ? [month] : [month, literal("月")]) : []), ...(day ? [day, literal("日")] : [])];
  }
  return weekday ? [...parts, weekday] : parts;
}

function weekdayName(options, time) {
  const name = WEEKDAYS[options.language][time.weekday];
  if (options.language === "zh") return options.weekday === "long" ? `星期${name}` : options.weekday === "short" ? `周${name}` : name;
  return options.weekday === "long" ? name : name.slice(0, options.weekday === "short" ? 3 : 1);
}

function monthName(options, time, isAlone) {
  if (options.month === "2-digit") return pad(time.month);
  if (options.month === "numeric") return String(time.month);
  const name = MONTHS[options.language][time.month - 1];
  if (options.language === "zh") return options.month === "long" && isAlone ? name : String(time.month);
  return options.month === "long" ? name : name.slice(0, options.month === "short" ? 3 : 1);
}

function timeParts(options, time) {
  const isTwelve = options.hourCycle === "h12" || options.hourCycle === "h11";
  const hour = options.hour && { type: "hour", value: hourText(options, time, isTwelve) };
  const isLonger = Boolean(options.hour) || Boolean(options.second) || options.minute === "2-digit";
  const minute = options.minute && { type: "minute", value: isLonger ? pad(time.minute) : String(time.minute) };
  const secondText = options.minute || options.second === "2-digit" ? pad(time.second) : String(time.second);
  const second = options.second && { type: "second", value: secondText };
  let parts = join([hour, minute, second], ":");
  if (options.fractionalSecondDigits !== undefined) {
    const fraction = { type: "fractionalSecond", value: pad(time.millisecond, 3).slice(0, options.fractionalSecondDigits) };
    parts = parts.length > 0 ? [...parts, literal("."), fraction] : [fraction];
  }
  const isChinese = options.language === "zh";
  if (isChinese && hour && !minute) parts.push(literal("时"));
  if (hour && isTwelve) {
    const period = { type: "dayPeriod", value: DAY_PERIODS[options.language][time.hour < 12 ? 0 : 1] };
    parts = isChinese ? [period, ...parts] : [...parts, literal(" "), period];
  }
  return parts;
}

function hourText(options, time, isTwelve) {
  const hours = { h11: time.hour % 12, h12: time.hour % 12 || 12, h23: time.hour, h24: time.hour || 24 };
  const hour = hours[options.hourCycle] ?? time.hour;
  const isBare = options.hour !== "2-digit" && (isTwelve || options.language === "zh" && !options.minute);
  return isBare ? String(hour) : pad(hour);
}

function zoneName(options, time) {
  const minutes = Math.round(time.offset / 60000);
  if (minutes === 0) return options.timeZone === "UTC" && options.timeZoneName === "long" ? (options.language === "zh" ? "协调世界时" : "Coordinated Universal Time") : options.timeZone === "UTC" ? "UTC" : "GMT";
  const rest = Math.abs(minutes) % 60;
  return `GMT${minutes < 0 ? "-" : "+"}${Math.floor(Math.abs(minutes) / 60)}${rest === 0 ? "" : `:${pad(rest)}`}`;
}

function formatDate(options, milliseconds) {
  const time = timeIn(options.timeZone, milliseconds);
  const date = dateParts(options, time);
  let clock = timeParts(options, time);
  if (options.timeZoneName !== undefined) {
    const zone = { type: "timeZoneName", value: zoneName(options, time) };
    clock = clock.length === 0 ? [zone] : options.language === "zh" ? [zone, literal(" "), ...clock] : [...clock, literal(" "), zone];
  }
  if (date.length === 0 || clock.length === 0) return [...date, ...clock];
  return [...date, literal(separatorOf(options)), ...clock];
}

function separatorOf(options) {
  if (options.language === "zh") return " ";
  if (options.month === "long") return " at ";
  return options.weekday && !(options.year || options.month || options.day) ? " " : ", ";
}

const textOf = (parts) => parts.map((part) => part.value).join("");

function dateMethod(name, required, defaults) {
  return {
    [name](locales, options) {
      const milliseconds = Date.prototype.getTime.call(this);
      const resolved = resolveDateOptions(locales, options, required, defaults);
      return Number.isNaN(milliseconds) ? "Invalid Date" : textOf(formatDate(resolved, milliseconds));
    },
  }[name];
}

function millisecondsOf(date) {
  const milliseconds = date === undefined ? Date.now() : Number(date);
  if (!(Math.abs(milliseconds) <= 8.64e15)) throw new RangeError("Invalid time value");
  return milliseconds;
}

function dateTimeFormat() {
  function DateTimeFormat(locales, options) {
    if (new.target === undefined) return new DateTimeFormat(locales, options);
    const resolved = resolveDateOptions(locales, options, "any", "date");
    Object.defineProperty(this, "format", { value: (date) => textOf(formatDate(resolved, millisecondsOf(date))), configurable: true, writable: true });
    Object.defineProperty(this, "formatToParts", { value: (date) => formatDate(resolved, millisecondsOf(date)), configurable: true, writable: true });
    Object.defineProperty(this, "resolvedOptions", { value: () => publicOptions(resolved), configurable: true, writable: true });
    return undefined;
  }
  DateTimeFormat.prototype.formatRange = function (start, end) {
    return `${this.format(start)} – ${this.format(end)}`;
  };
  Object.defineProperty(DateTimeFormat.prototype, Symbol.toStringTag, { value: "Intl.DateTimeFormat", configurable: true });
  DateTimeFormat.supportedLocalesOf = (locales) => Intl.getCanonicalLocales(locales);
  return DateTimeFormat;
}

function publicOptions(resolved) {
  const { tag, language: _language, timeZone, hourCycle, ...fields } = resolved;
  const shown = Object.entries(fields).filter(([name, value]) => value !== undefined && [...DATE_FIELDS, ...TIME_FIELDS, "timeZoneName", "dateStyle", "timeStyle"].includes(name));
  const clock = fields.hour === undefined ? {} : { hourCycle, hour12: hourCycle === "h12" || hourCycle === "h11" };
  return { locale: tag, calendar: "gregory", numberingSystem: "latn", timeZone, ...clock, ...Object.fromEntries(shown) };
}

// The decimal digits of a number, rounded half away from zero at `places` behind the point.
function roundDecimal(number, places) {
  const [mantissa, exponent] = number.toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const keep = Number(exponent) + 1 + places;
  if (keep < 0) return { whole: "0", fraction: "0".repeat(places) };
  let kept = BigInt(digits.slice(0, keep).padEnd(keep, "0") || "0");
  if (digits.charCodeAt(keep) >= 53) kept += 1n;
  const text = String(kept).padStart(places + 1, "0");
  return { whole: text.slice(0, text.length - places), fraction: text.slice(text.length - places) };
}

function resolveNumberOptions(locales, options) {
  const { tag, language } = localeOf(locales);
  const asked = { ...(options ?? {}) };
  const style = asked.style ?? "decimal";
  const currency = asked.currency === undefined ? undefined : String(asked.currency).toUpperCase();
  if (style === "currency" && currency === undefined) throw new TypeError("Currency code is required with currency style.");
  const cents = CURRENCIES_WITHOUT_CENTS.includes(currency) ? 0 : 2;
  const usual = style === "currency" ? [cents, cents] : style === "percent" ? [0, 0] : [0, 3];
  const minimumFractionDigits = digitCount(asked.minimumFractionDigits, "minimumFractionDigits") ?? Math.min(usual[0], asked.maximumFractionDigits ?? usual[0]);
  const maximumFractionDigits = digitCount(asked.maximumFractionDigits, "maximumFractionDigits") ?? Math.max(usual[1], minimumFractionDigits);
  if (minimumFractionDigits > maximumFractionDigits) throw new RangeError("maximumFractionDigits value is out of range.");
  const { minimumIntegerDigits = 1, minimumSignificantDigits, maximumSignificantDigits, useGrouping = true, signDisplay, notation, currencyDisplay } = asked;
  return { tag, language, style, currency, minimumFractionDigits, maximumFractionDigits, minimumIntegerDigits, minimumSignificantDigits, maximumSignificantDigits, useGrouping, signDisplay, notation, currencyDisplay };
}

function digitCount(value, name) {
  if (value === undefined) return undefined;
  const count = Number(value);
  if (!(count >= 0 && count <= 100)) throw new RangeError(`${name} value is out of range.`);
  return Math.floor(count);
}

function formatNumber(options, number) {
  if (typeof number === "bigint") return signed(options, number < 0n, group(options, String(number < 0n ? -number : number)), "");
  if (Number.isNaN(number)) return signed(options, false, "NaN", "");
  const isNegative = number < 0 || Object.is(number, -0);
  const size = Math.abs(options.style === "percent" ? Number(`${number}e2`) || number * 100 : number);
  if (size === Infinity) return signed(options, isNegative, "∞", "");
  const { whole, fraction } = digitsOf(options, size);
  return signed(options, isNegative, group(options, whole.padStart(options.minimumIntegerDigits, "0")), fraction);
}

function digitsOf(options, size) {
  const { minimumSignificantDigits: least, maximumSignificantDigits: most } = options;
  if (least !== undefined || most !== undefined) {
    const magnitude = size === 0 ? 0 : Number(size.toExponential().split("e")[1]);
    const places = (most ?? 21) - 1 - magnitude;
    const rounded = places >= 0 ? roundDecimal(size, places) : roundDecimal(Number(size.toPrecision(most)), 0);
    return { whole: rounded.whole, fraction: trimZeros(rounded.fraction, Math.max(0, (least ?? 1) - 1 - magnitude)) };
  }
  const { whole, fraction } = roundDecimal(size, options.maximumFractionDigits);
  return { whole, fraction: trimZeros(fraction, options.minimumFractionDigits) };
}

function trimZeros(fraction, least) {
  let length = fraction.length;
  while (length > least && fraction[length - 1] === "0") length--;
  return fraction.slice(0, length);
}

function group(options, whole) {
  return options.useGrouping === false || options.useGrouping === "false" ? whole : whole.replace(/\B(?=(?:\d{3})+$)/g, ",");
}

function signed(options, isNegative, whole, fraction) {
  let text = fraction === "" ? whole : `${whole}.${fraction}`;
  if (options.style === "percent") text += "%";
  if (options.style === "currency") {
    const sign = options.currencyDisplay === "code" ? `${options.currency} ` : CURRENCY_SIGNS[options.language][options.currency] ?? `${options.currency} `;
    text = sign + text;
  }
  const plus = options.signDisplay === "always" || options.signDisplay === "exceptZero" && /[1-9]/.test(whole + fraction) ? "+" : "";
  return (isNegative && options.signDisplay !== "never" ? "-" : plus) + text;
}

function numberFormat(engine) {
  function NumberFormat(locales, options) {
    if (new.target === undefined) return new NumberFormat(locales, options);
    const resolved = resolveNumberOptions(locales, options);
    const isOurs = resolved.style !== "unit" && (resolved.notation === undefined || resolved.notation === "standard");
    const theirs = isOurs ? null : new engine(locales, options);
    const format = (value) => isOurs ? formatNumber(resolved, typeof value === "bigint" ? value : Number(value)) : theirs.format(value);
    Object.defineProperty(this, "format", { value: format, configurable: true, writable: true });
    Object.defineProperty(this, "resolvedOptions", { value: () => publicNumberOptions(resolved), configurable: true, writable: true });
    return undefined;
  }
  Object.defineProperty(NumberFormat.prototype, Symbol.toStringTag, { value: "Intl.NumberFormat", configurable: true });
  NumberFormat.supportedLocalesOf = (locales) => Intl.getCanonicalLocales(locales);
  return NumberFormat;
}

function publicNumberOptions({ tag, language: _language, ...options }) {
  return Object.fromEntries(Object.entries({ locale: tag, numberingSystem: "latn", ...options }).filter(([, value]) => value !== undefined));
}

function define(object, name, value) {
  Object.defineProperty(object, name, { value, writable: true, configurable: true, enumerable: false });
}

function install() {
  const NumberFormat = numberFormat(Intl.NumberFormat);
  define(Intl, "DateTimeFormat", dateTimeFormat());
  define(Intl, "NumberFormat", NumberFormat);
  define(Date.prototype, "toLocaleString", dateMethod("toLocaleString", "any", "all"));
  define(Date.prototype, "toLocaleDateString", dateMethod("toLocaleDateString", "date", "date"));
  define(Date.prototype, "toLocaleTimeString", dateMethod("toLocaleTimeString", "time", "time"));
  define(Number.prototype, "toLocaleString", function toLocaleString(locales, options) {
    return new NumberFormat(locales, options).format(Number.prototype.valueOf.call(this));
  });
  define(BigInt.prototype, "toLocaleString", function toLocaleString(locales, options) {
    return new NumberFormat(locales, options).format(BigInt.prototype.valueOf.call(this));
  });
}

export { install };
