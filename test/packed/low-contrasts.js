// Runs in the page. Its value: the texts whose colour is too near to that of their background.
(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  if (canvas === null) return ['no canvas'];
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour) => {
    const [red = 0, green = 0, blue = 0] = colour.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const backgroundOf = (element) => {
    if (element === null) return [255, 255, 255];
    const colour = rgba(getComputedStyle(element).backgroundColor);
    return colour[3] === 255 ? colour : backgroundOf(element.parentElement);
  };
  const hasText = (element) =>
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== '');
  const elements = [...document.querySelectorAll('body *')].filter((each) => hasText(each) && each.checkVisibility());
  return elements.flatMap((element) => {
    const [text, back] = [luminance(rgba(getComputedStyle(element).color)), luminance(backgroundOf(element))];
    const contrast = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
    const isLow = contrast < 4.5 && element.closest('noscript, [aria-hidden]') === null;
    return isLow ? [`${contrast.toFixed(2)} ${element.className}: ${element.textContent}`] : [];
  });
})();
