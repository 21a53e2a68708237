import { describe, expect, it } from "vitest";
import { createClosers } from "../../../local/closers.ts";

describe("closers", () => {
  it("close the last first, once", async () => {
    const closed: string[] = [];
    const closers = createClosers();
    for (const name of ["a", "b"]) closers.defer(() => void closed.push(name));
    await Promise.all([closers.close(), closers.close()]);
    expect(closed).toEqual(["b", "a"]);
  });

  it("close what is still being opened", async () => {
    const closed: string[] = [];
    const closers = createClosers();
    const { promise, resolve } = Promise.withResolvers<{ close: () => void }>();
    void closers.open(promise);
    const closing = closers.close();
    resolve({ close: () => void closed.push("late") });
    await closing;
    expect(closed).toEqual(["late"]);
  });

  it("close everything even where one fails, and say so", async () => {
    const closed: string[] = [];
    const closers = createClosers();
    closers.defer(() => void closed.push("a"));
    closers.defer(() => Promise.reject(new Error("stuck")));
    await expect(closers.close()).rejects.toThrow("Not everything closed.");
    expect(closed).toEqual(["a"]);
  });

  it("pass on what could not be opened", async () => {
    const closers = createClosers();
    await expect(closers.open(Promise.reject(new Error("no")))).rejects.toThrow("no");
    await closers.close();
  });
});
