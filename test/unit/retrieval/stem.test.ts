import { describe, expect, it } from "vitest";
import { stem } from "../../../src/retrieval/stem.ts";

/** Porter's own examples, rule by rule, and the words that he revised. */
const EXAMPLES =
  "caresses:caress ponies:poni ties:ti caress:caress cats:cat feed:feed agreed:agre " +
  "plastered:plaster bled:bled motoring:motor sing:sing conflated:conflat troubled:troubl " +
  "sized:size hopping:hop tanned:tan falling:fall hissing:hiss fizzed:fizz failing:fail " +
  "filing:file happy:happi sky:sky relational:relat conditional:condit rational:ration " +
  "valenci:valenc hesitanci:hesit digitizer:digit conformabli:conform radicalli:radic " +
  "differentli:differ vileli:vile analogousli:analog vietnamization:vietnam predication:predic " +
  "operator:oper feudalism:feudal decisiveness:decis hopefulness:hope callousness:callous " +
  "formaliti:formal sensitiviti:sensit sensibiliti:sensibl triplicate:triplic formative:form " +
  "formalize:formal electriciti:electr electrical:electr hopeful:hope goodness:good " +
  "revival:reviv allowance:allow inference:infer airliner:airlin gyroscopic:gyroscop " +
  "adjustable:adjust defensible:defens irritant:irrit replacement:replac adjustment:adjust " +
  "dependent:depend adoption:adopt homologou:homolog communism:commun activate:activ " +
  "angulariti:angular homologous:homolog effective:effect bowdlerize:bowdler probate:probat " +
  "rate:rate cease:ceas controll:control roll:roll possibly:possibl apology:apolog " +
  "archaeology:archaeolog syzygy:syzygi toying:toi";

describe("the stem", () => {
  it.each(EXAMPLES.split(" ").map((pair) => pair.split(":")))("of %s is %s", (word, expected) => {
    expect(stem(word ?? "")).toBe(expected);
  });

  it.each(["", "a", "is", "by", "2.50", "élan", "東京"])("of %j is itself", (word) => {
    expect(stem(word)).toBe(word);
  });

  it("of a suffix alone is what Lucene makes of it", () => {
    expect(["ies", "sses", "eed", "ing", "ion", "ement"].map(stem)).toEqual([
      "i",
      "ss",
      "eed",
      "ing",
      "ion",
      "ement",
    ]);
  });
});
