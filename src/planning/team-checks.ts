import type { Plan } from "./plan.ts";

/** A check of the team that owns the definitions. */
export interface TeamCheck {
  readonly name: string;
  /** What is wrong with the plan, one sentence each; empty where nothing is. */
  readonly run: (plan: Plan) => readonly string[] | Promise<readonly string[]>;
}

/** The team's checks; `preApply` refuses a plan before anything of it is applied. */
export interface TeamChecks {
  readonly preApply: readonly TeamCheck[];
}

/** The plan with the problems that the team's checks find; a check that throws is one too. */
export async function checkPlan(plan: Plan, { preApply }: TeamChecks): Promise<Plan> {
  const found = await Promise.all(
    preApply.map(async ({ name, run }) => {
      try {
        return (await run(plan)).map((problem) => `check "${name}": ${problem}`);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        return [`check "${name}" failed: ${why}`];
      }
    }),
  );
  return { ...plan, problems: [...plan.problems, ...found.flat()] };
}
