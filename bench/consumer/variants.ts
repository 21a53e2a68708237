import type { Run, Scenario, Shape } from "./scenario.ts";

/** A way of writing the same events, measured beside the others. */
export interface Variant {
  readonly name: string;
  readonly run: (scenario: Scenario) => Promise<Run>;
  readonly consumers: number;
  readonly is: "freshet" | "large batches" | "tiles" | "rows";
}

const EVENTS = 3_000;

/** A hundred messages of an event each, as webhooks bring them. */
const hundreds = { perMessage: 1, messages: 100 };
/** Ten messages of fifty events, as backfills bring them. */
const fiveHundreds = { perMessage: 50, messages: 10 };

const people = (count: number, one: string): string => `${count} ${one}${count > 1 ? "s" : ""}`;

const freshet = (shape: Shape): Variant => ({
  name: `Freshet, ${people(shape.consumers, "consumer")}, batches of ${shape.perMessage * shape.messages}`,
  run: (scenario) => scenario.freshet(shape, EVENTS),
  consumers: shape.consumers,
  is: shape.perMessage === 1 ? "freshet" : "large batches",
});

const tiles = (shape: Shape): Variant => ({
  name: `tiles merged by SQL, ${people(shape.consumers, "writer")}, batches of 100`,
  run: (scenario) => scenario.tiles(shape, EVENTS),
  consumers: shape.consumers,
  is: "tiles",
});

/** What is measured with stores that are so far away: the least that tells, where they are. */
export function variantsAt(roundTripMs: number): readonly Variant[] {
  const shape = (consumers: number): Shape => ({ ...hundreds, consumers, roundTripMs });
  const both = [
    ...[1, 4, 8].map((consumers) => freshet(shape(consumers))),
    ...[1, 4].map((consumers) => tiles(shape(consumers))),
  ];
  if (roundTripMs > 0) return both;
  const rows: Variant = {
    name: "rows alone, 4 writers, batches of 100",
    run: (scenario) => scenario.rows(shape(4), EVENTS),
    consumers: 4,
    is: "rows",
  };
  return [...both, freshet({ ...fiveHundreds, consumers: 4, roundTripMs }), rows];
}
