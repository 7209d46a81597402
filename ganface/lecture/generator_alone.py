"""Section 3: a generator that learns by supervision, from codes."""

from __future__ import annotations

from typing import Any

import torch
from PIL import Image

from ganface.evaluation.coverage import density_and_coverage, neighbourhoods
from ganface.lecture import plane
from ganface.lecture.course import PART, Course, squared_error
from ganface.lecture.damage import shifted, stray
from ganface.lecture.page import Block, Section, Text
from ganface.methods.parts import SHOWN
from ganface.models.features import RandomFeatures
from ganface.pictures.grid import captioned, cut, grid, table, to_pil
from ganface.pictures.png import open_png

CODES = ("random", "pca", "learned")
SHEET = 9  # faces along each side of the sheet over two dimensions of the code
SPREAD = 2.0  # standard deviations of the codes, to either side
PAIRS, PAIRS_SHOWN = 500, 6
ERRORS_SHOWN = 4  # faces
STRAY = 1 / 85  # of the pixels of a face are turned to their opposite


def generator_alone(course: Course) -> Section:
    return Section(
        Text("Can the generator learn by itself?", "生成器能自己学吗？"),
        Text(
            "Give each image a code and teach G to draw it from that. Where do codes come from, "
            "and what do the codes between them draw?",
            "给每张图一个编码，教 G 由编码画出图来。编码从哪里来？编码之间又会画出什么？",
        ),
        [
            _codes(course),
            _sheet(course),
            _midpoints(course),
            _two_errors(course),
            _plane(course),
        ],
    )


def _codes(course: Course) -> Block:
    sheets = {}
    for codes in CODES:
        name = f"codes-{codes}"
        file = course.run(name).sheet("reconstructions", course.last_step(name))
        sheets[codes] = open_png(file).convert("RGB")
    rows = []
    for number in range(SHOWN):
        original = cut(sheets["random"], number, SHOWN)
        again = [cut(sheet, SHOWN + number, SHOWN) for sheet in sheets.values()]
        rows.append([original, *again])
    sheet = table(_turned(rows), ["image", *CODES], [""] * SHOWN)
    finding = None
    errors = {codes: _last(course.lines(f"codes-{codes}"), "error_seen") for codes in CODES}
    of_mean = _last(course.lines("codes-pca"), "error_of_mean")
    if of_mean and all(errors.values()):
        random, pca, learned = (errors[codes] or 0.0 for codes in CODES)
        finding = Text(
            f"The squared error of what G draws is {random:.3f} from random codes, {pca:.3f} from "
            f"those of PCA and {learned:.3f} from learned ones; the mean image's is {of_mean:.3f}. "
            f"Random codes are {random / pca:.1f} times as far off as PCA's.",
            f"G 所画图像的均方误差：随机编码 {random:.3f}，PCA 编码 {pca:.3f}，学得的编码 "
            f"{learned:.3f}；平均图像为 {of_mean:.3f}。随机编码的误差是 PCA 的 {random / pca:.1f} "
            "倍。",
        )
    return Block(
        Text(
            "Random codes do not work: images that are alike have codes far apart, and G can only "
            "learn each by heart. Codes by principal components (PCA) put like to like. They may "
            "also be learned along with G.",
            "随机编码行不通：相似的图像编码相距很远，G 只能一张张死记。"
            "主成分分析（PCA）给出的编码让相似的靠在一起。编码也可以和 G 一起学。",
        ),
        [
            course.save(
                "codes",
                sheet,
                Text(
                    "Images, and what G draws from their codes after equally short trainings.",
                    "原图，以及经过同样短的训练后，G 由编码画出的图。",
                ),
            )
        ],
        finding,
        "ganface train my-faces --method codes --codes random",
    )


def _sheet(course: Course) -> Block:
    pictures = []
    captions = {
        "autoencoder": Text(
            "The auto-encoder's decoder over the two main directions of the codes.",
            "自编码器的解码器：沿编码的两个主方向铺开的平面。",
        ),
        "vae": Text("The same for the VAE.", "变分自编码器（VAE），做法相同。"),
    }
    images, shares = course.sample_reals(2000), {}
    for name, caption in captions.items():
        codes = course.encode(name, images)
        mean = codes.mean(0)
        _, lengths, directions = torch.linalg.svd(codes - mean, full_matrices=False)
        shares[name] = (lengths[:2].square().sum() / lengths.square().sum()).item()
        spread = lengths[:2] / len(codes) ** 0.5
        along = torch.linspace(-SPREAD, SPREAD, SHEET)
        places = torch.cartesian_prod(along, along) * spread
        faces = course.decode(name, mean + places @ directions[:2])
        pictures.append(course.save(f"sheet-{name}", grid(faces, SHEET), caption, name))
    return Block(
        Text(
            "An encoder E gives better codes: E and G learn together to bring images back. That is "
            "an auto-encoder, and its decoder is a generator. Below, the code moves over a sheet, "
            "along the two directions in which the codes of images vary most.",
            "编码器 E 能给出更好的编码：E 和 G 一起学着把图像还原，这就是自编码器，"
            "它的解码器就是一个生成器。下面让编码在一个平面上移动，"
            "沿着图像编码变化最大的两个方向。",
        ),
        pictures,
        Text(
            f"These two directions hold {shares['autoencoder']:.0%} of the variance of the "
            f"auto-encoder's codes, and {shares['vae']:.0%} of that of the VAE's.",
            f"这两个方向占编码方差的比例：自编码器 {shares['autoencoder']:.0%}，VAE "
            f"{shares['vae']:.0%}。",
        ),
        "ganface train my-faces --method autoencoder",
    )


def _midpoints(course: Course) -> Block:
    images = course.sample_reals(4 * PAIRS)
    count = len(images) // 4
    first, second, reference = images[:count], images[count : 2 * count], images[2 * count :]
    shown: list[list[Image.Image]] = [[to_pil(image) for image in first[:PAIRS_SHOWN]]]
    density = {}
    network = RandomFeatures()
    features = torch.cat([network(part) for part in reference.split(PART)])
    radii = neighbourhoods(features)
    for name in ("autoencoder", "vae"):
        a, b = course.encode(name, first), course.encode(name, second)
        between = course.decode(name, (a + b) / 2)
        for what, faces in (("ends", course.decode(name, a)), ("middles", between)):
            seen = torch.cat([network(part) for part in faces.split(PART)])
            density[name, what] = density_and_coverage(features, radii, seen)[0]
        shown.append([to_pil(image) for image in between[:PAIRS_SHOWN]])
    shown.append([to_pil(image) for image in second[:PAIRS_SHOWN]])
    names = ["image A", "auto-encoder", "VAE", "image B"]
    loss = {n: density[n, "middles"] / (density[n, "ends"] or 1) for n in ("autoencoder", "vae")}
    better = "VAE" if loss["vae"] > loss["autoencoder"] else "auto-encoder"
    better_zh = "VAE" if loss["vae"] > loss["autoencoder"] else "自编码器"
    return Block(
        Text(
            "But between two codes that G has seen there may be anything: nobody told it what to "
            "draw there. The VAE adds noise to the codes while it learns, so that their "
            "neighbourhood decodes as well, and draws all codes towards one cloud around 0.",
            "但是在 G 见过的两个编码之间，什么都可能出现：没有人教过它那里该画什么。VAE "
            "在学习时给编码加噪声，使编码的邻域也能解码，并把所有编码拉向以 0 为中心的一团。",
        ),
        [
            course.save(
                "midpoints",
                table(shown, names, [""] * PAIRS_SHOWN),
                Text(
                    "Two images, and what is drawn from the middle between their codes.",
                    "两张图，以及由它们编码的中点画出的图。",
                ),
            )
        ],
        Text(
            "Density among the real images (1 is like them), of what the codes of images draw and "
            f"of what the middles do: auto-encoder {density['autoencoder', 'ends']:.2f} and "
            f"{density['autoencoder', 'middles']:.2f}, VAE {density['vae', 'ends']:.2f} and "
            f"{density['vae', 'middles']:.2f}. The {better} keeps more of its density on the way "
            "to the middle.",
            "在真实图像中的密度（1 表示相当），图像编码画出的和中点画出的：自编码器 "
            f"{density['autoencoder', 'ends']:.2f} 和 {density['autoencoder', 'middles']:.2f}，VAE "
            f"{density['vae', 'ends']:.2f} 和 {density['vae', 'middles']:.2f}。走到中点，"
            f"{better_zh}的密度保持得更好。",
        ),
        "ganface train my-faces --method vae",
    )


def _two_errors(course: Course) -> Block:
    images = course.pack.batch(course.strangers[:200])
    pixels = round(STRAY * course.pack.size**2)
    ugly, fine = stray(images, pixels), shifted(images)
    kinds = (images, ugly, fine)
    errors = [squared_error(each, images) for each in kinds]
    logits = [course.opinion.logits(each) for each in kinds]
    answers = [course.opinion.probability(each) for each in logits]
    cells, texts = [], []
    for number in range(ERRORS_SHOWN):
        for each, error, answer in zip(kinds, errors, answers, strict=True):
            cells.append(each[number])
            texts.append(f"{error[number]:.3f}   {answer[number]:.2f}")
    of_stray, of_shift = (each.mean().item() for each in errors[1:])
    prefers = (logits[2] > logits[1]).float().mean().item()
    return Block(
        Text(
            "What both lack: they compare pixel by pixel. Of two errors the smaller one can look "
            "worse. A few stray pixels are not acceptable; a face that lies one pixel further to "
            "the right is. An output of G knows nothing of its neighbours, so that a generator by "
            "itself must be larger for the same.",
            "两者有同一个缺点：只逐像素比较。两种误差里，较小的那个看起来可能更糟。"
            "几个杂点不可接受，整张脸右移一个像素却没有关系。G 的一个输出并不知道邻居是什么，"
            "所以只靠生成器，要做到同样好，网络必须更大。",
        ),
        [
            course.save(
                "two-errors",
                captioned(torch.stack(cells), texts, 6),
                Text(
                    f"Real faces, with {pixels} stray pixels, and shifted by one pixel; below each "
                    "its squared error and D(x).",
                    f"真实人脸、带 {pixels} 个杂点的、右移一个像素的；下面是均方误差和 D(x)。",
                ),
            )
        ],
        Text(
            f"Stray pixels are an error of {of_stray:.3f}, the shift one of {of_shift:.3f}, "
            f"{'more' if of_stray < of_shift else 'less'}. D prefers the shifted face in "
            f"{prefers:.0%} of cases.",
            f"杂点的均方误差为 {of_stray:.3f}，平移为 {of_shift:.3f}，"
            f"{'更大' if of_stray < of_shift else '更小'}。D 在 {prefers:.0%} "
            "的情况下更喜欢平移的脸。",
        ),
    )


def _plane(course: Course) -> Block:
    result = plane.learn()
    vae, gan = result.facts["vae"], result.facts["gan"]
    return Block(
        Text(
            "In the plane one can see where the samples fall. The targets are a few small clouds "
            "that lie apart. A VAE must give every target a neighbourhood, and where its codes "
            "meet it fills the space between; a GAN need not.",
            "在平面上可以看到样本落在哪里。目标是几团彼此分开的小云。VAE 要给每个目标一片邻域，"
            "编码相接的地方就填满了中间的空隙；GAN 不必如此。",
        ),
        [
            course.save(
                "plane",
                plane.draw(result),
                Text(
                    "What is to be learned, and what the same small generator draws after each way "
                    "of learning.",
                    "要学的分布，以及同一个小生成器用两种方法学到的结果。",
                ),
            )
        ],
        Text(
            f"Of the VAE's samples {vae.on_target:.0%} lie on a cloud, of the GAN's "
            f"{gan.on_target:.0%}; the VAE found {vae.found} of {plane.SPOTS} clouds, the GAN "
            f"{gan.found}.",
            f"落在云团上的样本：VAE {vae.on_target:.0%}，GAN {gan.on_target:.0%}；VAE 找到 "
            f"{plane.SPOTS} 团中的 {vae.found} 团，GAN 找到 {gan.found} 团。",
        ),
    )


def _turned(rows: list[list[Image.Image]]) -> list[list[Image.Image]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _last(lines: list[dict[str, Any]], name: str) -> float | None:
    return next((line[name] for line in reversed(lines) if line.get(name) is not None), None)
