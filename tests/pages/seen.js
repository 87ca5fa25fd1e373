// What is wrong with a page as it is seen now, by kind; lengths are CSS pixels.
() => {
  const faults = {missing: [], overflow: [], hidden: [], contrast: [], small: [], ground: []};
  const name = (element) => `${element.tagName} ${element.className} ${(element.textContent || "").trim().slice(0, 40)}`;
  const visible = (element) => element.getClientRects().length > 0;
  const channels = (color) => {
    const [red, green, blue, alpha = 1] = color.match(/[\d.]+/g).map(Number);
    return {rgb: [red, green, blue], alpha};
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = channels(getComputedStyle(at).backgroundColor);
      if (found.alpha > 0) return found.rgb;
    }
    return [255, 255, 255];
  };
  const luminance = (rgb) => {
    const linear = rgb.map((value) => value / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) faults.overflow.push(`the page is ${document.documentElement.scrollWidth} wide`);
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (own && !visible(element) && element.closest("table") && !element.closest("thead")) faults.hidden.push(name(element));
    if (!own || !visible(element)) continue;
    const box = element.getBoundingClientRect();
    if (element.scrollWidth > element.clientWidth && element.clientWidth) faults.overflow.push(name(element));
    if (box.right > width + 0.5 || box.left < 0) faults.overflow.push(`${name(element)} at ${box.left}..${box.right}`);
    const ratio = contrast(channels(getComputedStyle(element).color).rgb, behind(element));
    if (ratio < 4.5) faults.contrast.push(`${name(element)}: ${ratio.toFixed(2)}`);
    if (parseFloat(getComputedStyle(element).fontSize) < 10.5) faults.small.push(name(element));
  }
  const ground = behind(document.body);
  const charts = [];
  for (const image of document.images) {
    if (!image.naturalWidth) faults.missing.push(image.alt);
    if (!visible(image)) continue;
    const box = image.getBoundingClientRect();
    if (box.right > width + 0.5) faults.overflow.push(`${image.alt} at ${box.right}`);
    if (image.className === "pictures") continue;
    charts.push(image.className);
    // the smallest text of a chart is of 11 points, or 10 in a narrow one, at 192 dots an inch
    const text = (((image.className.includes("narrow") ? 10 : 11) / 72) * 192 * box.width) / image.naturalWidth;
    if (text < 9) faults.small.push(`${image.alt}: text of ${text.toFixed(1)} pixels`);
    const canvas = document.createElement("canvas");
    const paint = canvas.getContext("2d");
    paint.drawImage(image, 0, 0);
    const corner = [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3);
    if (contrast(corner, ground) > 1.02) faults.ground.push(`${image.alt}: rgb(${corner}) on rgb(${ground})`);
  }
  return {faults, ground, charts};
}
