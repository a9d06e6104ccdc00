/** Mean and population standard deviation of each entry over members. */
export function spreadOf(members: readonly Float64Array[]): { mean: Float64Array; std: Float64Array } {
  const length = members[0]?.length ?? 0;
  const mean = new Float64Array(length);
  const std = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const average = members.reduce((sum, member) => sum + (member[i] ?? 0), 0) / members.length;
    const squares = members.reduce((sum, member) => {
      const difference = (member[i] ?? 0) - average;
      return sum + difference * difference;
    }, 0);
    mean[i] = average;
    std[i] = Math.sqrt(squares / members.length);
  }
  return { mean, std };
}
