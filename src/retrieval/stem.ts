const VOWELS = "aeiou";

const STEP_2: readonly (readonly [string, string])[] = [
  ["ational", "ate"],
  ["tional", "tion"],
  ["enci", "ence"],
  ["anci", "ance"],
  ["izer", "ize"],
  ["bli", "ble"],
  ["alli", "al"],
  ["entli", "ent"],
  ["eli", "e"],
  ["ousli", "ous"],
  ["ization", "ize"],
  ["ation", "ate"],
  ["ator", "ate"],
  ["alism", "al"],
  ["iveness", "ive"],
  ["fulness", "ful"],
  ["ousness", "ous"],
  ["aliti", "al"],
  ["iviti", "ive"],
  ["biliti", "ble"],
  ["logi", "log"],
];
const STEP_3: readonly (readonly [string, string])[] = [
  ["icate", "ic"],
  ["ative", ""],
  ["alize", "al"],
  ["iciti", "ic"],
  ["ical", "ic"],
  ["ful", ""],
  ["ness", ""],
];
/** A suffix stands before those that it ends with. */
const STEP_4 =
  "al ance ence er ic able ible ant ement ment ent sion tion ou ism ate iti ous ive ize".split(" ");

/**
 * Pure. The stem of a lower-case English word by Porter's algorithm with the two rules that he
 * revised later (bli, logi), as in Lucene: words of one or two letters stay, and every character
 * but a, e, i, o, u and the y after a consonant counts as a consonant.
 * https://tartarus.org/martin/PorterStemmer/def.txt
 */
export function stem(word: string): string {
  if (word.length < 3) return word;
  return step5(step4(replaceSuffix(replaceSuffix(step1(word), STEP_2), STEP_3)));
}

/** Plurals, -ed, -ing, and y after a vowel somewhere. */
function step1(word: string): string {
  const singular = withoutPlural(word);
  const tenseless = withoutTense(singular);
  const before = tenseless.slice(0, -1);
  return tenseless.endsWith("y") && hasVowel(before) ? `${before}i` : tenseless;
}

function withoutPlural(word: string): string {
  if (!word.endsWith("s") || word.endsWith("ss")) return word;
  return word.slice(0, word.endsWith("sses") || word.endsWith("ies") ? -2 : -1);
}

function withoutTense(word: string): string {
  if (word.endsWith("eed")) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const suffix = word.endsWith("ed") ? 2 : word.endsWith("ing") ? 3 : 0;
  const rest = word.slice(0, word.length - suffix);
  if (suffix === 0 || !hasVowel(rest)) return word;
  if (rest.endsWith("at") || rest.endsWith("bl") || rest.endsWith("iz")) return `${rest}e`;
  if (endsDouble(rest)) return /[lsz]$/.test(rest) ? rest : rest.slice(0, -1);
  return measure(rest) === 1 && endsShort(rest) ? `${rest}e` : rest;
}

/** The suffix must leave a syllable. */
function replaceSuffix(word: string, rules: readonly (readonly [string, string])[]): string {
  for (const [suffix, replacement] of rules) {
    if (!word.endsWith(suffix)) continue;
    const rest = word.slice(0, -suffix.length);
    return measure(rest) > 0 ? rest + replacement : word;
  }
  return word;
}

/** The suffix must leave two syllables; of -sion and -tion, the s or t stays. */
function step4(word: string): string {
  const suffix = STEP_4.find((candidate) => word.endsWith(candidate));
  if (suffix === undefined) return word;
  const rest = word.slice(0, -(suffix.endsWith("ion") ? 3 : suffix.length));
  return measure(rest) > 1 ? rest : word;
}

function step5(word: string): string {
  const syllables = measure(word);
  const drops =
    word.endsWith("e") && (syllables > 1 || (syllables === 1 && !endsShort(word.slice(0, -1))));
  const rest = drops ? word.slice(0, -1) : word;
  return rest.endsWith("ll") && syllables > 1 ? rest.slice(0, -1) : rest;
}

/** How often a consonant follows a vowel: m in [C](VC)^m[V]. */
function measure(word: string): number {
  let count = 0;
  let consonant = false;
  for (let at = 0; at < word.length; at += 1) {
    const next = isConsonant(word, at, consonant);
    if (at > 0 && next && !consonant) count += 1;
    consonant = next;
  }
  return count;
}

function hasVowel(word: string): boolean {
  for (let at = 0, consonant = false; at < word.length; at += 1) {
    consonant = isConsonant(word, at, consonant);
    if (!consonant) return true;
  }
  return false;
}

/** `previous`: whether the character before is a consonant. */
function isConsonant(word: string, at: number, previous: boolean): boolean {
  const letter = word[at] ?? "";
  return letter === "y" ? at === 0 || !previous : !VOWELS.includes(letter);
}

/** Ends with a double consonant. */
function endsDouble(word: string): boolean {
  return word.length > 1 && word.at(-1) === word.at(-2) && (endShape(word) & 1) === 1;
}

/** Ends with consonant, vowel, consonant, the last not w, x or y: -hop, -fil. */
const endsShort = (word: string): boolean =>
  word.length > 2 && endShape(word) === 5 && !/[wxy]$/.test(word);

/** The last three characters as bits, 4 2 1 from the last but two: 1 is a consonant. */
function endShape(word: string): number {
  let shape = 0;
  for (let at = 0; at < word.length; at += 1) {
    shape = ((shape << 1) & 7) | Number(isConsonant(word, at, (shape & 1) === 1));
  }
  return shape;
}
