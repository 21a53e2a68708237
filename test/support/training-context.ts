import type { MakeContext } from "../../cli/training-set/make-training-set.ts";
import { NOON, type TestApi } from "./requests.ts";

/** What makes a training set beside an API at noon; what it says goes to `told`. */
export function trainingContext(
  api: TestApi,
  told: string[],
  changes: Partial<MakeContext> = {},
): MakeContext {
  const { registry, history, definitions, vault } = api.ctx();
  const tell = (line: string): void => void told.push(line);
  return {
    registry,
    history,
    definitions,
    vault,
    where: "the test",
    terminal: { print: tell, tell },
    screen: { tell },
    now: () => NOON,
    ...changes,
  };
}
